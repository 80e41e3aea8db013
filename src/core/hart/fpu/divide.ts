/** hart/fpu/divide.ts: division.
 *
 *  Fast path   a quotient strictly between the smallest normal and infinity had a finite non-zero divisor and
 *              dividend; a zero dividend and a zero quotient are exact.
 *  Algorithm   the exact way divides the significands as 53-bit integers with n in [d, 2d):
 *              1 the native quotient of n and d is off by half a unit of its 53 bits at most
 *              2 the remainder n * 2^52 - q * d is below 2^53 in size, so 64 wrapping bits hold it exactly
 *              3 a negative remainder takes one off q; the rest compared with d gives the next bit and the sticky one
 *              That is the floor of the quotient to 54 bits and whether anything is left: all that rounding needs.  */

import {
  bias,
  exponent,
  Flag,
  infinity,
  invalidResult,
  isNaNBits,
  magnitude,
  mayUseNative,
  nanResult,
  raise,
  significand,
  signOf,
  withSign,
} from "./format";
import { round } from "./round";

export function f64Div(fcsr: usize, a: u64, b: u64, rm: u32): u64 {
  if (mayUseNative(fcsr, rm)) {
    const x = reinterpret<f64>(a);
    const quotient = x / reinterpret<f64>(b);
    const size = abs(quotient);
    if (size > f64.MIN_NORMAL_VALUE && size < Infinity) return reinterpret<u64>(quotient);
    if (size == 0 && x == 0) return reinterpret<u64>(quotient);
  }
  return divide<u64>(fcsr, a, b, rm);
}

export function f32Div(fcsr: usize, a: u32, b: u32, rm: u32): u32 {
  if (mayUseNative(fcsr, rm)) {
    const x = reinterpret<f32>(a);
    const quotient = x / reinterpret<f32>(b);
    const size = abs(quotient);
    if (size > f32.MIN_NORMAL_VALUE && size < <f32>Infinity) return reinterpret<u32>(quotient);
    if (size == 0 && x == 0) return reinterpret<u32>(quotient);
  }
  return divide<u32>(fcsr, a, b, rm);
}

function divide<B extends number>(fcsr: usize, a: B, b: B, rm: u32): B {
  const sign = signOf<B>(a) ^ signOf<B>(b);
  const sizeA = magnitude<B>(a);
  const sizeB = magnitude<B>(b);
  if (sizeA >= infinity<B>() || sizeB >= infinity<B>()) {
    if (isNaNBits<B>(a) || isNaNBits<B>(b)) return nanResult<B>(fcsr, a, b);
    if (sizeB != infinity<B>()) return withSign<B>(sign, infinity<B>());
    return sizeA == infinity<B>() ? invalidResult<B>(fcsr) : withSign<B>(sign, <B>0);
  }
  if (sizeB == 0) {
    if (sizeA == 0) return invalidResult<B>(fcsr);
    raise(fcsr, Flag.DivideByZero);
    return withSign<B>(sign, infinity<B>());
  }
  if (sizeA == 0) return withSign<B>(sign, <B>0);
  const d = significand<B>(b) >> 11;
  let n = significand<B>(a) >> 11;
  let exp = exponent<B>(a) - exponent<B>(b) + bias<B>();
  if (n < d) {
    n <<= 1;
    exp--;
  }
  return round<B>(fcsr, sign, exp, divideSignificands(n, d), rm);
}

/** n / d in [1, 2), as a significand with bit 63 set; both are below 2^54 and exact as doubles. */
function divideSignificands(n: u64, d: u64): u64 {
  let q = <u64>((<f64>n / <f64>d) * 4503599627370496.0);
  let rest = <i64>((n << 52) - q * d);
  if (rest < 0) {
    q--;
    rest += <i64>d;
  }
  rest <<= 1;
  const next = u64(rest >= <i64>d);
  rest -= <i64>(next * d);
  return (q << 11) | (next << 10) | u64(rest != 0);
}
