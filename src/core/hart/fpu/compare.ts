/** hart/fpu/compare.ts: feq, flt, fle.
 *
 *  Native comparisons are exact and raise nothing, so they decide; only an unordered pair needs a look at the flags:
 *  flt and fle raise NV on any NaN, feq on a signalling one (chapter "F", section 8).                               */

import { Flag, isSignalling, raise } from "./format";

export function f64Eq(fcsr: usize, a: u64, b: u64): u32 {
  const x = reinterpret<f64>(a);
  const y = reinterpret<f64>(b);
  if ((x != x || y != y) && (isSignalling<u64>(a) || isSignalling<u64>(b))) raise(fcsr, Flag.Invalid);
  return u32(x == y);
}

export function f32Eq(fcsr: usize, a: u32, b: u32): u32 {
  const x = reinterpret<f32>(a);
  const y = reinterpret<f32>(b);
  if ((x != x || y != y) && (isSignalling<u32>(a) || isSignalling<u32>(b))) raise(fcsr, Flag.Invalid);
  return u32(x == y);
}

export function f64Lt(fcsr: usize, a: u64, b: u64): u32 {
  const x = reinterpret<f64>(a);
  const y = reinterpret<f64>(b);
  if (x != x || y != y) raise(fcsr, Flag.Invalid);
  return u32(x < y);
}

export function f32Lt(fcsr: usize, a: u32, b: u32): u32 {
  const x = reinterpret<f32>(a);
  const y = reinterpret<f32>(b);
  if (x != x || y != y) raise(fcsr, Flag.Invalid);
  return u32(x < y);
}

export function f64Le(fcsr: usize, a: u64, b: u64): u32 {
  const x = reinterpret<f64>(a);
  const y = reinterpret<f64>(b);
  if (x != x || y != y) raise(fcsr, Flag.Invalid);
  return u32(x <= y);
}

export function f32Le(fcsr: usize, a: u32, b: u32): u32 {
  const x = reinterpret<f32>(a);
  const y = reinterpret<f32>(b);
  if (x != x || y != y) raise(fcsr, Flag.Invalid);
  return u32(x <= y);
}
