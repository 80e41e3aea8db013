/* guest/compute.c: three small computations whose instructions are counted against a clock.
 *
 *   compute integer|memory|float [-n rounds]
 *                                 defaults 20000000, 120, 12000000
 *
 * integer     multiply, divide now and then, shift, branch: four lanes of a random walk
 * memory      fills, sorts by halves and sums 1 MiB of words: loads and stores that hit the caches
 * float       Horner's rule with fused multiply-add, and a division now and then, in double precision
 * Prints      NAME rounds=N check=HEX ns=N; the check is exact, the same on every machine
 * Status      0, or 2 for wrong usage                                                                    */
#include "sys.h"

#define WORDS (1 << 17)

static u64 words[WORDS];

static u64 integer(u64 rounds) {
  u64 a = 1, b = 2, c = 3, d = 0x9e3779b97f4a7c15UL;
  for (u64 i = 0; i < rounds; i++) {
    a = a * 0x5851f42d4c957f2dUL + i;
    b ^= a >> 29;
    if (b & 4) c += b << 3;
    else c ^= a;
    d = (d >> 7 | d << 57) + c;
    if ((i & 63) == 0) d += a / ((b & 1023) + 1);
  }
  return a ^ b ^ c ^ d;
}

/* One round touches each word five times. */
static u64 memory(u64 rounds) {
  u64 sum = 0;
  for (u64 r = 0; r < rounds; r++) {
    for (u64 i = 0; i < WORDS; i++) words[i] = (i * 0x9e3779b97f4a7c15UL) ^ r;
    for (u64 i = 0; i < WORDS / 2; i++) {
      u64 x = words[i], y = words[i + WORDS / 2];
      words[i] = x < y ? x : y;
      words[i + WORDS / 2] = x < y ? y : x;
    }
    for (u64 i = 0; i < WORDS; i++) sum += words[i] ^ i;
    for (u64 i = 0, at = r & (WORDS - 1); i < WORDS; i++) {
      at = (at + (words[at] >> 50)) & (WORDS - 1);
      sum += words[at];
    }
  }
  return sum;
}

#ifdef __x86_64__
__attribute__((target("fma")))
#endif
static u64 floating(u64 rounds) {
  double x = 0.5, y = 0.25, sum = 0;
  for (u64 i = 0; i < rounds; i++) {
    double p = __builtin_fma(x, 0.0416, -0.1666);
    p = __builtin_fma(p, x, 0.5);
    p = __builtin_fma(p, x, -1.0);
    p = __builtin_fma(p, y, 1.0);
    sum += p;
    x = __builtin_fma(x, 0.75, p * 0.125);
    y = __builtin_fma(y, -0.5, 0.375);
    if ((i & 15) == 0) x = x / (1.0 + y * y);
  }
  union {
    double d;
    u64 bits;
  } out = {.d = sum + x + y};
  return out.bits;
}

static const struct {
  const char *name;
  u64 (*run)(u64);
  u64 rounds;
} KINDS[] = {{"integer", integer, 20000000}, {"memory", memory, 120}, {"float", floating, 12000000}};

static int usage(void) {
  struct text err;
  openText(&err, 2);
  str(&err, "usage: compute integer|memory|float [-n rounds]\n");
  flush(&err);
  return 2;
}

int main(int argc, char **argv, char **envp) {
  (void)envp;
  for (u64 i = 0; argc > 1 && i < sizeof(KINDS) / sizeof(*KINDS); i++) {
    if (!sameText(argv[1], KINDS[i].name)) continue;
    u64 rounds = KINDS[i].rounds;
    if (argc != 2 && (argc != 4 || !sameText(argv[2], "-n") || !readNumber(argv[3], &rounds))) return usage();
    u64 from = nowNs();
    u64 check = KINDS[i].run(rounds);
    u64 ns = nowNs() - from;
    struct text out;
    openText(&out, 1);
    str(&out, KINDS[i].name);
    str(&out, " rounds=");
    dec(&out, (i64)rounds);
    str(&out, " check=");
    hex(&out, check);
    str(&out, " ns=");
    dec(&out, (i64)ns);
    str(&out, "\n");
    flush(&out);
    return 0;
  }
  return usage();
}
