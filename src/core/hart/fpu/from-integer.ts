/** hart/fpu/from-integer.ts: fcvt from 32 and 64-bit integers.
 *
 *  Exact where the integer fits the significand: native then in every mode. Otherwise native where the mode allows
 *  (no integer overflows a single or comes near underflow), else rounded from its 64-bit magnitude.                 */

import { bias, mayUseNative } from "./format";
import { round } from "./round";

export function f64FromI32(fcsr: usize, n: i32, rm: u32): u64 {
  return reinterpret<u64>(<f64>n);
}

export function f64FromU32(fcsr: usize, n: u32, rm: u32): u64 {
  return reinterpret<u64>(<f64>n);
}

export function f64FromI64(fcsr: usize, n: i64, rm: u32): u64 {
  const fits = <u64>(n + (1 << 53)) <= 1 << 54;
  if (fits || mayUseNative(fcsr, rm)) return reinterpret<u64>(<f64>n);
  return roundInteger<u64>(fcsr, u32(n < 0), n < 0 ? -n : n, rm);
}

export function f64FromU64(fcsr: usize, n: u64, rm: u32): u64 {
  if (n <= 1 << 53 || mayUseNative(fcsr, rm)) return reinterpret<u64>(<f64>n);
  return roundInteger<u64>(fcsr, 0, n, rm);
}

export function f32FromI32(fcsr: usize, n: i32, rm: u32): u32 {
  return f32FromI64(fcsr, n, rm);
}

export function f32FromU32(fcsr: usize, n: u32, rm: u32): u32 {
  return f32FromU64(fcsr, n, rm);
}

export function f32FromI64(fcsr: usize, n: i64, rm: u32): u32 {
  const fits = <u64>(n + (1 << 24)) <= 1 << 25;
  if (fits || mayUseNative(fcsr, rm)) return reinterpret<u32>(<f32>n);
  return roundInteger<u32>(fcsr, u32(n < 0), n < 0 ? -n : n, rm);
}

export function f32FromU64(fcsr: usize, n: u64, rm: u32): u32 {
  if (n <= 1 << 24 || mayUseNative(fcsr, rm)) return reinterpret<u32>(<f32>n);
  return roundInteger<u32>(fcsr, 0, n, rm);
}

/** `size` is not zero; of the most negative integer it is 2^63, which u64 holds. */
function roundInteger<B extends number>(fcsr: usize, sign: u32, size: u64, rm: u32): B {
  const lead = <i32>clz<u64>(size);
  return round<B>(fcsr, sign, bias<B>() + 63 - lead, size << lead, rm);
}
