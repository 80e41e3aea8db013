/** hart/fpu/format.ts: how a float is laid out, and the flags and rounding modes of fcsr.
 *
 *  Every integer routine of this folder is written once, generic over the bits' type B: u64 is a double, u32 a
 *  single. All that differs folds to constants when B is known.
 *
 *                 sign  exponent field  fraction                 EXTRA
 *      B = u64      1        11            52      bias 1023       11
 *      B = u32      1         8            23      bias  127       40
 *
 *  A finite non-zero value is worked on unpacked, the same shape for both and for subnormals too:
 *      sign  0 or 1
 *      exp   the exponent field it would have, had the field no bounds (a subnormal's is 0 or below)
 *      sig   64 bits, bit 63 set; the lowest EXTRA bits lie below the format's precision, bit 0 also says
 *            "something non-zero was cut off below" (jamming)
 *      value = (sig / 2^63) * 2^(exp - bias)
 *
 *  Idea        Berkeley SoftFloat 3 (J. Hauser), though it keeps different spare bits for each format
 *  Spec        RISC-V unprivileged ISA, chapter "F", sections 2 (fcsr) and 3 (NaN generation)                       */

/** fflags, bits 0-4 of fcsr. */
export enum Flag {
  Inexact = 1,
  Underflow = 2,
  Overflow = 4,
  DivideByZero = 8,
  Invalid = 16,
}

/** frm, as resolved by the hart. */
export enum Round {
  NearestEven = 0,
  TowardZero = 1,
  Down = 2,
  Up = 3,
  NearestAway = 4,
}

export function raise(fcsr: usize, flags: u32): void {
  store<u32>(fcsr, load<u32>(fcsr) | flags);
}

/** True where a native operation may stand in: it rounds to nearest even, and inexactness need not be told since NX
 *  is raised already (QEMU fpu/softfloat.c:can_use_fpu). The caller still has to look at the result: a NaN, an
 *  infinity or a value near underflow goes the exact way. */
export function mayUseNative(fcsr: usize, rm: u32): bool {
  return (((load<u32>(fcsr) & Flag.Inexact) ^ Flag.Inexact) | rm) == 0;
}

export function fractionBits<B extends number>(): i32 {
  return sizeof<B>() == 8 ? 52 : 23;
}

export function extraBits<B extends number>(): i32 {
  return 63 - fractionBits<B>();
}

/** The exponent field of infinities and NaNs. */
export function maxField<B extends number>(): i32 {
  return sizeof<B>() == 8 ? 0x7ff : 0xff;
}

export function bias<B extends number>(): i32 {
  return maxField<B>() >> 1;
}

export function signBit<B extends number>(): B {
  return sizeof<B>() == 8 ? <B>0x8000000000000000 : <B>0x80000000;
}

export function infinity<B extends number>(): B {
  return sizeof<B>() == 8 ? <B>0x7ff0000000000000 : <B>0x7f800000;
}

export function canonicalNaN<B extends number>(): B {
  return sizeof<B>() == 8 ? <B>0x7ff8000000000000 : <B>0x7fc00000;
}

export function signOf<B extends number>(a: B): u32 {
  return <u32>(a >> (sizeof<B>() == 8 ? 63 : 31));
}

/** The bits without the sign; as integers they order like the values' magnitudes. */
export function magnitude<B extends number>(a: B): B {
  return <B>(a & ~signBit<B>());
}

/** A signed zero, infinity, …: `bits` has a clear sign. */
export function withSign<B extends number>(sign: u32, bits: B): B {
  const place = <B>(sizeof<B>() == 8 ? 63 : 31);
  const top = <B>sign;
  return <B>((top << place) | bits);
}

export function field<B extends number>(a: B): i32 {
  return <i32>(a >> fractionBits<B>()) & maxField<B>();
}

export function fraction<B extends number>(a: B): u64 {
  return <u64>a & (((<u64>1) << fractionBits<B>()) - 1);
}

/** Unpacked exponent of a finite non-zero value. */
export function exponent<B extends number>(a: B): i32 {
  const e = field<B>(a);
  if (e != 0) return e;
  return 1 + extraBits<B>() - <i32>clz<u64>(fraction<B>(a));
}

/** Unpacked significand of a finite non-zero value; 0 of a zero. */
export function significand<B extends number>(a: B): u64 {
  const frac = fraction<B>(a);
  if (field<B>(a) != 0) return (frac << extraBits<B>()) | 0x8000000000000000;
  return frac << clz<u64>(frac);
}

export function isNaNBits<B extends number>(a: B): bool {
  return magnitude<B>(a) > infinity<B>();
}

export function isSignalling<B extends number>(a: B): bool {
  const one = <B>1;
  const place = <B>(fractionBits<B>() - 1);
  const quiet = one << place;
  return isNaNBits<B>(a) && (a & quiet) == <B>0;
}

/** The result of an operation with a NaN among its operands. */
export function nanResult<B extends number>(fcsr: usize, a: B, b: B): B {
  if (isSignalling<B>(a) || isSignalling<B>(b)) raise(fcsr, Flag.Invalid);
  return canonicalNaN<B>();
}

/** The result of an operation with no meaning: inf - inf, 0 * inf, sqrt of a negative, … */
export function invalidResult<B extends number>(fcsr: usize): B {
  raise(fcsr, Flag.Invalid);
  return canonicalNaN<B>();
}

/** An exact zero that is the sum of non-zeros, or of zeros of unlike sign: negative only when rounding down. */
export function zeroSum<B extends number>(rm: u32): B {
  return rm == Round.Down ? signBit<B>() : <B>0;
}
