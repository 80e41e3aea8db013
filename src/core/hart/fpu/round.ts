/** hart/fpu/round.ts: the one place where an exact value becomes a float.
 *
 *  Promise     the result nearest to the value in the direction of rm, and NX, UF, OF raised exactly as RISC-V says
 *  Algorithm   1 the rounding increment of the mode: half a unit, nothing, or all but one
 *              2 exponent out of the normal range: overflow at once, or shift right into a subnormal
 *              3 add the increment below the precision, carry, drop the rest
 *  Tininess    is detected after rounding: a value is tiny when, rounded to full precision as if exponents had no
 *              lower bound, it is still below the smallest normal. So 0.11…1|1 (binary, times the smallest normal)
 *              rounds up to a normal and raises no underflow, while the shift to subnormal precision alone would
 *              have said otherwise.
 *  Idea        SoftFloat s_roundPackToF64.c                                                                          */

import { extraBits, Flag, fractionBits, infinity, maxField, Round, raise, withSign } from "./format";

/** Shifts right by `count` >= 0; bits that fall out leave a 1 in bit 0. */
export function shiftRightJam(sig: u64, count: i32): u64 {
  if (count == 0) return sig;
  if (count > 63) return u64(sig != 0);
  return (sig >> count) | u64(sig << (64 - count) != 0);
}

/** What is added below the precision before the rest is cut off. `all` is the mask of the bits that will be cut. */
function increment(sign: u32, rm: u32, all: u64): u64 {
  if (rm == Round.NearestEven || rm == Round.NearestAway) return (all >> 1) + 1;
  return rm == (sign != 0 ? Round.Down : Round.Up) ? all : 0;
}

/** Rounds and packs an unpacked value (format.ts); sig has bit 63 set. */
export function round<B extends number>(fcsr: usize, sign: u32, exp: i32, sig: u64, rm: u32): B {
  const all = ((<u64>1) << extraBits<B>()) - 1;
  const add = increment(sign, rm, all);
  let flags: u32 = 0;
  if (<u32>(exp - 1) >= <u32>(maxField<B>() - 2)) {
    const carries = sig + add < sig;
    if (exp <= 0) {
      const tiny = exp < 0 || !carries;
      sig = shiftRightJam(sig, 1 - exp);
      exp = 1;
      if (tiny && (sig & all) != 0) flags = Flag.Underflow;
    } else if (exp >= maxField<B>() || carries) {
      raise(fcsr, Flag.Overflow | Flag.Inexact);
      return withSign<B>(sign, <B>(infinity<B>() - <B>u32(add == 0)));
    }
  }
  const cut = sig & all;
  let kept = (sig >> extraBits<B>()) + ((cut + add) >> extraBits<B>());
  if (cut != 0) {
    raise(fcsr, flags | Flag.Inexact);
    if (rm == Round.NearestEven && cut == (all >> 1) + 1) kept &= ~(<u64>1);
  }
  // kept carries the implicit bit of a normal, which adds the 1 missing in the field; a subnormal has none.
  return withSign<B>(sign, <B>(((<u64>(exp - 1)) << fractionBits<B>()) + kept));
}
