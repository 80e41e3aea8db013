/** hart/fpu/minmax.ts: fmin and fmax, IEEE 754-2019 minimumNumber and maximumNumber (F version 2.2).
 *
 *  A NaN loses against a number; two NaNs give the canonical one; a signalling NaN raises NV either way; -0 is below
 *  +0. wasm's own f64.min would return the NaN.                                                                     */

import { canonicalNaN, Flag, isNaNBits, isSignalling, raise } from "./format";

export function f64Min(fcsr: usize, a: u64, b: u64): u64 {
  const x = reinterpret<f64>(a);
  const y = reinterpret<f64>(b);
  if (x < y) return a;
  if (y < x) return b;
  if (x == y) return a | b; // equal bits, or zeros, where the one with the sign is the smaller
  return number<u64>(fcsr, a, b);
}

export function f32Min(fcsr: usize, a: u32, b: u32): u32 {
  const x = reinterpret<f32>(a);
  const y = reinterpret<f32>(b);
  if (x < y) return a;
  if (y < x) return b;
  if (x == y) return a | b;
  return number<u32>(fcsr, a, b);
}

export function f64Max(fcsr: usize, a: u64, b: u64): u64 {
  const x = reinterpret<f64>(a);
  const y = reinterpret<f64>(b);
  if (x > y) return a;
  if (y > x) return b;
  if (x == y) return a & b;
  return number<u64>(fcsr, a, b);
}

export function f32Max(fcsr: usize, a: u32, b: u32): u32 {
  const x = reinterpret<f32>(a);
  const y = reinterpret<f32>(b);
  if (x > y) return a;
  if (y > x) return b;
  if (x == y) return a & b;
  return number<u32>(fcsr, a, b);
}

/** The one that is a number, where at least one is not. */
function number<B extends number>(fcsr: usize, a: B, b: B): B {
  if (isSignalling<B>(a) || isSignalling<B>(b)) raise(fcsr, Flag.Invalid);
  if (!isNaNBits<B>(a)) return a;
  return isNaNBits<B>(b) ? canonicalNaN<B>() : b;
}
