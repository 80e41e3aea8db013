/** hart/fpu/add.ts: addition and subtraction.
 *
 *  Fast path   a sum that is finite has finite operands, and a sum below the normal range is always exact (both
 *              operands are multiples of the smallest subnormal), so "finite" is the whole test on the result.
 *  Algorithm   the larger magnitude first; the smaller is shifted right, jamming, to the same exponent; one bit on
 *              top is kept free for the carry. Ten bits below the precision make jamming safe: where more than one
 *              leading bit cancels, the shift was at most one and nothing was jammed.
 *  Idea        SoftFloat s_addMagsF64.c, s_subMagsF64.c                                                              */

import {
  exponent,
  infinity,
  invalidResult,
  isNaNBits,
  magnitude,
  mayUseNative,
  nanResult,
  signBit,
  significand,
  signOf,
  zeroSum,
} from "./format";
import { round, shiftRightJam } from "./round";

export function f64Add(fcsr: usize, a: u64, b: u64, rm: u32): u64 {
  if (mayUseNative(fcsr, rm)) {
    const sum = reinterpret<f64>(a) + reinterpret<f64>(b);
    if (abs(sum) < Infinity) return reinterpret<u64>(sum);
  }
  return add<u64>(fcsr, a, b, rm);
}

export function f32Add(fcsr: usize, a: u32, b: u32, rm: u32): u32 {
  if (mayUseNative(fcsr, rm)) {
    const sum = reinterpret<f32>(a) + reinterpret<f32>(b);
    if (abs(sum) < <f32>Infinity) return reinterpret<u32>(sum);
  }
  return add<u32>(fcsr, a, b, rm);
}

export function f64Sub(fcsr: usize, a: u64, b: u64, rm: u32): u64 {
  return f64Add(fcsr, a, b ^ signBit<u64>(), rm);
}

export function f32Sub(fcsr: usize, a: u32, b: u32, rm: u32): u32 {
  return f32Add(fcsr, a, b ^ signBit<u32>(), rm);
}

function add<B extends number>(fcsr: usize, a: B, b: B, rm: u32): B {
  if (magnitude<B>(a) < magnitude<B>(b)) {
    const swapped = a;
    a = b;
    b = swapped;
  }
  const same = signOf<B>(a) == signOf<B>(b);
  if (magnitude<B>(a) >= infinity<B>()) return addSpecial<B>(fcsr, a, b, same);
  if (magnitude<B>(b) == 0) return magnitude<B>(a) != 0 || same ? a : zeroSum<B>(rm);
  const exp = exponent<B>(a);
  const large = significand<B>(a) >> 1;
  const small = shiftRightJam(significand<B>(b) >> 1, exp - exponent<B>(b));
  const sum = same ? large + small : large - small;
  if (sum == 0) return zeroSum<B>(rm);
  const lead = <i32>clz<u64>(sum);
  return round<B>(fcsr, signOf<B>(a), exp + 1 - lead, sum << lead, rm);
}

/** |a| >= |b|, and a is an infinity or a NaN (a NaN's magnitude is larger than infinity's). */
function addSpecial<B extends number>(fcsr: usize, a: B, b: B, same: bool): B {
  if (isNaNBits<B>(a)) return nanResult<B>(fcsr, a, b);
  return same || magnitude<B>(b) != infinity<B>() ? a : invalidResult<B>(fcsr);
}
