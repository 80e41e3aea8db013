/** hart/fpu/multiply.ts: multiplication.
 *
 *  Fast path   a product strictly between the smallest normal and infinity had no underflow, no overflow and no NaN;
 *              a product of zero is exact where a factor is zero. (The smallest normal itself might be a tiny value
 *              rounded up: the exact way decides.)
 *  Algorithm   the upper half of the 128-bit product of the significands, the lower half jammed into it            */

import {
  bias,
  exponent,
  infinity,
  invalidResult,
  isNaNBits,
  magnitude,
  mayUseNative,
  nanResult,
  significand,
  signOf,
  withSign,
} from "./format";
import { round } from "./round";
import { multiplyHigh } from "./wide";

export function f64Mul(fcsr: usize, a: u64, b: u64, rm: u32): u64 {
  if (mayUseNative(fcsr, rm)) {
    const x = reinterpret<f64>(a);
    const y = reinterpret<f64>(b);
    const product = x * y;
    const size = abs(product);
    if (size > f64.MIN_NORMAL_VALUE && size < Infinity) return reinterpret<u64>(product);
    if (size == 0 && (x == 0 || y == 0)) return reinterpret<u64>(product);
  }
  return multiply<u64>(fcsr, a, b, rm);
}

export function f32Mul(fcsr: usize, a: u32, b: u32, rm: u32): u32 {
  if (mayUseNative(fcsr, rm)) {
    const x = reinterpret<f32>(a);
    const y = reinterpret<f32>(b);
    const product = x * y;
    const size = abs(product);
    if (size > f32.MIN_NORMAL_VALUE && size < <f32>Infinity) return reinterpret<u32>(product);
    if (size == 0 && (x == 0 || y == 0)) return reinterpret<u32>(product);
  }
  return multiply<u32>(fcsr, a, b, rm);
}

function multiply<B extends number>(fcsr: usize, a: B, b: B, rm: u32): B {
  const sign = signOf<B>(a) ^ signOf<B>(b);
  const sizeA = magnitude<B>(a);
  const sizeB = magnitude<B>(b);
  if (sizeA >= infinity<B>() || sizeB >= infinity<B>()) {
    if (isNaNBits<B>(a) || isNaNBits<B>(b)) return nanResult<B>(fcsr, a, b);
    if (sizeA == 0 || sizeB == 0) return invalidResult<B>(fcsr);
    return withSign<B>(sign, infinity<B>());
  }
  if (sizeA == 0 || sizeB == 0) return withSign<B>(sign, <B>0);
  const sigA = significand<B>(a);
  const sigB = significand<B>(b);
  const product = multiplyHigh(sigA, sigB) | u64(sigA * sigB != 0);
  // Two significands in [1, 2) make a product in [1, 4): its leading bit is 63 or 62.
  const lead = <i32>clz<u64>(product);
  const exp = exponent<B>(a) + exponent<B>(b) - bias<B>() + 1 - lead;
  return round<B>(fcsr, sign, exp, product << lead, rm);
}
