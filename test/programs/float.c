/* float.c: floating point through a C library: functions, rounding modes, exception flags, conversions.
 *
 * Values      printed as bits ("%016lx"): a NaN's payload and a zero's sign count. Compared with another riscv64 machine
 *             only: which NaN an operation gives, and what an overflowing conversion gives, differs between architectures
 * Compiler    every operand passes through a volatile, so that nothing is folded                                   */
#include "program.h"
#include <fenv.h>
#include <math.h>

#pragma STDC FENV_ACCESS ON

static double bitsToDouble(uint64_t bits) {
  double value;
  memcpy(&value, &bits, 8);
  return value;
}

static uint64_t bits(double value) {
  uint64_t b;
  memcpy(&b, &value, 8);
  return b;
}

static uint32_t bitsf(float value) {
  uint32_t b;
  memcpy(&b, &value, 4);
  return b;
}

static const uint64_t OPERANDS[] = {
    0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0xbff8000000000000, 0x4005bf0a8b145769,
    0x400921fb54442d18, 0x0000000000000001, 0x800fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff,
    0xffefffffffffffff, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001,
    0x41dfffffffc00000, 0xc1e0000000200000, 0x43e0000000000000, 0x3fe0000000000000, 0x36a0000000000000,
    0x47efffffe0000000, 0x3fb999999999999a,
};

static const int MODES[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};

/* Flags raised since the last call, as letters. */
static const char *flags(void) {
  static char text[6];
  char *at = text;
  int raised = fetestexcept(FE_ALL_EXCEPT);
  if (raised & FE_INVALID) *at++ = 'v';
  if (raised & FE_DIVBYZERO) *at++ = 'z';
  if (raised & FE_OVERFLOW) *at++ = 'o';
  if (raised & FE_UNDERFLOW) *at++ = 'u';
  if (raised & FE_INEXACT) *at++ = 'x';
  *at = 0;
  feclearexcept(FE_ALL_EXCEPT);
  return text;
}

static void functions(void) {
  static const struct {
    const char *name;
    double (*of)(double);
  } ALL[] = {{"sin", sin},     {"cos", cos},     {"tan", tan},     {"asin", asin},     {"acos", acos},   {"atan", atan},
             {"sinh", sinh},   {"cosh", cosh},   {"tanh", tanh},   {"asinh", asinh},   {"acosh", acosh}, {"atanh", atanh},
             {"exp", exp},     {"exp2", exp2},   {"expm1", expm1}, {"log", log},       {"log2", log2},   {"log10", log10},
             {"log1p", log1p}, {"sqrt", sqrt},   {"cbrt", cbrt},   {"erf", erf},       {"erfc", erfc},   {"tgamma", tgamma},
             {"lgamma", lgamma}, {"floor", floor}, {"ceil", ceil}, {"trunc", trunc},   {"rint", rint},   {"round", round},
             {"j0", j0},       {"y1", y1},       {"logb", logb},   {"fabs", fabs}};
  for (int f = 0; f < COUNT(ALL); f++) {
    printf("%s", ALL[f].name);
    for (int i = 0; i < COUNT(OPERANDS); i++) {
      volatile double x = bitsToDouble(OPERANDS[i]);
      printf(" %a", ALL[f].of(x));
    }
    putchar('\n');
  }
  feclearexcept(FE_ALL_EXCEPT);
}

static void pairs(void) {
  for (int i = 0; i < COUNT(OPERANDS); i++) {
    for (int j = 0; j < COUNT(OPERANDS); j += 3) {
      volatile double x = bitsToDouble(OPERANDS[i]), y = bitsToDouble(OPERANDS[j]);
      printf("%a %a: %a %a %a %a %a %a %a\n", x, y, pow(x, y), atan2(x, y), fmod(x, y), remainder(x, y), hypot(x, y),
             nextafter(x, y), fdim(x, y));
    }
  }
  feclearexcept(FE_ALL_EXCEPT);
}

static void arithmetic(void) {
  for (int m = 0; m < COUNT(MODES); m++) {
    must(fesetround(MODES[m]) == 0 && fegetround() == MODES[m], "fesetround");
    feclearexcept(FE_ALL_EXCEPT);
    for (int i = 0; i < COUNT(OPERANDS); i++) {
      for (int j = 0; j < COUNT(OPERANDS); j++) {
        volatile double x = bitsToDouble(OPERANDS[i]), y = bitsToDouble(OPERANDS[j]), r;
        printf("%d %016lx %016lx:", m, OPERANDS[i], OPERANDS[j]);
        r = x + y;
        printf(" %016lx%s", bits(r), flags());
        r = x - y;
        printf(" %016lx%s", bits(r), flags());
        r = x * y;
        printf(" %016lx%s", bits(r), flags());
        r = x / y;
        printf(" %016lx%s", bits(r), flags());
        r = fma(x, y, 1.5);
        printf(" %016lx%s", bits(r), flags());
        r = fmin(x, y);
        printf(" %016lx%s", bits(r), flags());
        r = fmax(x, y);
        printf(" %016lx%s", bits(r), flags());
        volatile int less = x < y, equal = x == y;
        printf(" %d%d%s\n", less, equal, flags());
      }
    }
  }
  fesetround(FE_TONEAREST);
}

static void single(void) {
  for (int m = 0; m < COUNT(MODES); m++) {
    fesetround(MODES[m]);
    feclearexcept(FE_ALL_EXCEPT);
    for (int i = 0; i < COUNT(OPERANDS); i++) {
      volatile double wide = bitsToDouble(OPERANDS[i]);
      volatile float x = (float)wide, r;
      printf("%d %016lx: %08x%s", m, OPERANDS[i], bitsf(x), flags());
      for (int j = 1; j < COUNT(OPERANDS); j += 4) {
        volatile float y = (float)bitsToDouble(OPERANDS[j]);
        flags();
        r = x + y;
        printf(" %08x%s", bitsf(r), flags());
        r = x * y;
        printf(" %08x%s", bitsf(r), flags());
        r = x / y;
        printf(" %08x%s", bitsf(r), flags());
        r = fmaf(x, y, -x);
        printf(" %08x%s", bitsf(r), flags());
      }
      r = sqrtf(x);
      printf(" %08x%s", bitsf(r), flags());
      volatile double back = x;
      printf(" %016lx%s\n", bits(back), flags());
    }
  }
  fesetround(FE_TONEAREST);
}

static void conversions(void) {
  for (int m = 0; m < COUNT(MODES); m++) {
    fesetround(MODES[m]);
    feclearexcept(FE_ALL_EXCEPT);
    for (int i = 0; i < COUNT(OPERANDS); i++) {
      volatile double x = bitsToDouble(OPERANDS[i]);
      printf("%d %016lx:", m, OPERANDS[i]);
      volatile int32_t w = (int32_t)x;
      printf(" %d%s", w, flags());
      volatile uint32_t wu = (uint32_t)x;
      printf(" %u%s", wu, flags());
      volatile int64_t l = (int64_t)x;
      printf(" %ld%s", l, flags());
      volatile uint64_t lu = (uint64_t)x;
      printf(" %lu%s", lu, flags());
      volatile long rounded = lrint(x);
      printf(" %ld%s", rounded, flags());
      volatile long nearest = lround(x);
      printf(" %ld%s", nearest, flags());
      volatile double integral = nearbyint(x);
      printf(" %a%s", integral, flags());
      printf(" %d %d%s\n", fpclassify(x), signbit(x) != 0, flags());
    }
    static const int64_t INTEGERS[] = {0, 1, -1, 0x7fffffffffffffff, -0x7fffffffffffffff - 1, 0x20000000000001,
                                       0x7fffffff, -0x80000000L, 0x1000001, 0x3fffffffffffff};
    for (int i = 0; i < COUNT(INTEGERS); i++) {
      volatile int64_t n = INTEGERS[i];
      volatile double d = (double)n, du = (double)(uint64_t)n;
      volatile float s = (float)n, su = (float)(uint64_t)n, sw = (float)(int32_t)n, swu = (float)(uint32_t)n;
      printf("%d %ld: %a %a %a %a %a %a%s\n", m, n, d, du, s, su, sw, swu, flags());
    }
  }
  fesetround(FE_TONEAREST);
}

static void environment(void) {
  fenv_t saved;
  feclearexcept(FE_ALL_EXCEPT);
  feraiseexcept(FE_OVERFLOW | FE_INVALID);
  fegetenv(&saved);
  say("raised %s", flags());
  fesetround(FE_UPWARD);
  feholdexcept(&saved);
  volatile double one = 1, three = 3, quotient = one / three;
  say("held %a %s", quotient, flags());
  fesetenv(FE_DFL_ENV);
  quotient = one / three;
  say("default %a %s", quotient, flags());
  say("long double %.30Lf", sqrtl(2.0L + one));
  double fraction, whole;
  int exponent;
  fraction = frexp(three * 1000, &exponent);
  say("frexp %a %d, ldexp %a", fraction, exponent, ldexp(fraction, -1060));
  fraction = modf(-three - 0.25, &whole);
  say("modf %a %a", fraction, whole);
  say("printf %.17g %e %g %.0f", M_PI * three, 1e-310 * one, 123456789.0 * one, 2.5 * one);
  say("strtod %a %a %a", strtod("0x1.8p-1073", NULL), strtod("1.7976931348623159e308", NULL), strtod("nan(0x7)", NULL));
}

static const struct section SECTIONS[] = {
    {"functions", functions}, {"pairs", pairs},             {"arithmetic", arithmetic},
    {"single", single},       {"conversions", conversions}, {"environment", environment},
};
PROGRAM(SECTIONS)
