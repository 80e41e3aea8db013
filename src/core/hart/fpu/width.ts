/** hart/fpu/width.ts: fcvt.s.d and fcvt.d.s.
 *
 *  Widening is exact for every number, so the native operation does; narrowing rounds, natively where the result
 *  lies strictly inside single's normal range or the operand is zero.                                               */

import {
  bias,
  canonicalNaN,
  exponent,
  Flag,
  infinity,
  isSignalling,
  magnitude,
  mayUseNative,
  nanResult,
  raise,
  significand,
  signOf,
  withSign,
} from "./format";
import { round } from "./round";

export function f32ToF64(fcsr: usize, a: u32): u64 {
  const x = reinterpret<f32>(a);
  if (x == x) return reinterpret<u64>(<f64>x);
  if (isSignalling<u32>(a)) raise(fcsr, Flag.Invalid);
  return canonicalNaN<u64>();
}

export function f64ToF32(fcsr: usize, a: u64, rm: u32): u32 {
  const x = reinterpret<f64>(a);
  if (mayUseNative(fcsr, rm)) {
    const narrow = <f32>x;
    const size = abs(narrow);
    if ((size > f32.MIN_NORMAL_VALUE && size < <f32>Infinity) || x == 0) return reinterpret<u32>(narrow);
  }
  if (x != x) {
    nanResult<u64>(fcsr, a, a);
    return canonicalNaN<u32>();
  }
  const sign = signOf<u64>(a);
  if (x == 0) return withSign<u32>(sign, 0);
  if (magnitude<u64>(a) == infinity<u64>()) return withSign<u32>(sign, infinity<u32>());
  return round<u32>(fcsr, sign, exponent<u64>(a) - bias<u64>() + bias<u32>(), significand<u64>(a), rm);
}
