/** hart/fpu/to-integer.ts: fcvt to 32 and 64-bit integers.
 *
 *  Promise     out of range after rounding, infinities and NaNs saturate and raise NV alone; a NaN counts as +inf;
 *              otherwise NX when the integer is not the operand (chapter "F", section 7, table of limits)
 *  Algorithm   native in every mode: rounding a float to an integral float, comparing it and converting it in range
 *              are exact, so nothing is missed; a single is widened first, exactly.                                */

import { Flag, Round, raise } from "./format";

const TWO_31: f64 = 2147483648.0;
const TWO_32: f64 = 4294967296.0;
const TWO_63: f64 = 9223372036854775808.0;
const TWO_64: f64 = 18446744073709551616.0;

export function f64ToI32(fcsr: usize, a: u64, rm: u32): i32 {
  return toI32(fcsr, reinterpret<f64>(a), rm);
}

export function f64ToU32(fcsr: usize, a: u64, rm: u32): u32 {
  return toU32(fcsr, reinterpret<f64>(a), rm);
}

export function f64ToI64(fcsr: usize, a: u64, rm: u32): i64 {
  return toI64(fcsr, reinterpret<f64>(a), rm);
}

export function f64ToU64(fcsr: usize, a: u64, rm: u32): u64 {
  return toU64(fcsr, reinterpret<f64>(a), rm);
}

export function f32ToI32(fcsr: usize, a: u32, rm: u32): i32 {
  return toI32(fcsr, <f64>reinterpret<f32>(a), rm);
}

export function f32ToU32(fcsr: usize, a: u32, rm: u32): u32 {
  return toU32(fcsr, <f64>reinterpret<f32>(a), rm);
}

export function f32ToI64(fcsr: usize, a: u32, rm: u32): i64 {
  return toI64(fcsr, <f64>reinterpret<f32>(a), rm);
}

export function f32ToU64(fcsr: usize, a: u32, rm: u32): u64 {
  return toU64(fcsr, <f64>reinterpret<f32>(a), rm);
}

function toI32(fcsr: usize, x: f64, rm: u32): i32 {
  const n = roundIntegral(x, rm);
  if (n >= -TWO_31 && n < TWO_31) {
    if (n != x) raise(fcsr, Flag.Inexact);
    return <i32>n;
  }
  raise(fcsr, Flag.Invalid);
  return x < 0 ? i32.MIN_VALUE : i32.MAX_VALUE;
}

function toU32(fcsr: usize, x: f64, rm: u32): u32 {
  const n = roundIntegral(x, rm);
  if (n >= 0 && n < TWO_32) {
    if (n != x) raise(fcsr, Flag.Inexact);
    return <u32>n;
  }
  raise(fcsr, Flag.Invalid);
  return x < 0 ? 0 : u32.MAX_VALUE;
}

function toI64(fcsr: usize, x: f64, rm: u32): i64 {
  const n = roundIntegral(x, rm);
  if (n >= -TWO_63 && n < TWO_63) {
    if (n != x) raise(fcsr, Flag.Inexact);
    return <i64>n;
  }
  raise(fcsr, Flag.Invalid);
  return x < 0 ? i64.MIN_VALUE : i64.MAX_VALUE;
}

function toU64(fcsr: usize, x: f64, rm: u32): u64 {
  const n = roundIntegral(x, rm);
  if (n >= 0 && n < TWO_64) {
    if (n != x) raise(fcsr, Flag.Inexact);
    return <u64>n;
  }
  raise(fcsr, Flag.Invalid);
  return x < 0 ? 0 : u64.MAX_VALUE;
}

function roundIntegral(x: f64, rm: u32): f64 {
  if (rm == Round.TowardZero) return trunc(x);
  if (rm == Round.NearestEven) return nearest(x);
  if (rm == Round.Down) return floor(x);
  if (rm == Round.Up) return ceil(x);
  // Ties away from zero: what trunc cuts off is exact, and so is the step of one where a fraction exists.
  const whole = trunc(x);
  return abs(x - whole) >= 0.5 ? whole + copysign<f64>(1, x) : whole;
}
