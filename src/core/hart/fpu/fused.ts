/** hart/fpu/fused.ts: multiply and add with one rounding; the four RISC-V forms are sign flips of the operands.
 *
 *  Fast paths  single: the product of two singles is exact as a double; adding c rounds once to 53 bits, and rounding
 *              that to 24 is right unless it lies half-way there (musl fmaf.c).
 *              double: the errors of the product (Dekker) and of the sum (Knuth) are exact doubles; their sum t is
 *              right to 2^-53, and where the result is the same with t a little larger and a little smaller, it is
 *              the right one (Ziv's rounding test). Operands keep clear of the ends of the exponent range, where
 *              those errors would not be representable.
 *  Algorithm   exact way: the product in 128 bits, c in 128 bits, both with a free bit on top; the one with the
 *              smaller exponent shifted right, jamming; add or subtract; normalise; jam the lower half away. Where
 *              more than one leading bit cancels, the shift was at most one and nothing had been jammed.
 *  Idea        SoftFloat s_mulAddF64.c; Boldo & Muller, "Exact and Approximated Error of the FMA"                 */

import {
  bias,
  canonicalNaN,
  exponent,
  Flag,
  infinity,
  isNaNBits,
  isSignalling,
  magnitude,
  mayUseNative,
  nanResult,
  raise,
  signBit,
  significand,
  signOf,
  withSign,
  zeroSum,
} from "./format";
import { round } from "./round";
import { multiplyHigh, shiftRightHigh, shiftRightLowJam } from "./wide";

/** a * b + c: fmadd.d */
export function f64MulAdd(fcsr: usize, a: u64, b: u64, c: u64, rm: u32): u64 {
  if (mayUseNative(fcsr, rm)) {
    const x = reinterpret<f64>(a);
    const y = reinterpret<f64>(b);
    const z = reinterpret<f64>(c);
    const product = x * y;
    if (inSplitRange(x) && inSplitRange(y) && abs(product) > 1e-270 && abs(product) < 1e290) {
      const sum = product + z;
      const t = productError(x, y, product) + sumError(product, z, sum);
      const result = sum + (t + t * 3.5527136788005009e-15);
      if (result == sum + (t - t * 3.5527136788005009e-15) && inSafeRange(result)) {
        return reinterpret<u64>(result);
      }
    } else if (x == 0 || y == 0) {
      const sum = product + z;
      if (abs(sum) < Infinity) return reinterpret<u64>(sum);
    }
  }
  return mulAdd<u64>(fcsr, a, b, c, rm);
}

/** a * b + c: fmadd.s */
export function f32MulAdd(fcsr: usize, a: u32, b: u32, c: u32, rm: u32): u32 {
  if (mayUseNative(fcsr, rm)) {
    const z = <f64>reinterpret<f32>(c);
    const product = <f64>reinterpret<f32>(a) * <f64>reinterpret<f32>(b);
    const sum = product + z;
    const halfway = (reinterpret<u64>(sum) & 0x1fffffff) == 0x10000000;
    if (!halfway || (sum - product == z && sum - z == product)) {
      const result = <f32>sum;
      const size = abs(result);
      if (size > f32.MIN_NORMAL_VALUE && size < <f32>Infinity) return reinterpret<u32>(result);
    }
  }
  return mulAdd<u32>(fcsr, a, b, c, rm);
}

/** a * b - c: fmsub */
export function f64MulSub(fcsr: usize, a: u64, b: u64, c: u64, rm: u32): u64 {
  return f64MulAdd(fcsr, a, b, c ^ signBit<u64>(), rm);
}

export function f32MulSub(fcsr: usize, a: u32, b: u32, c: u32, rm: u32): u32 {
  return f32MulAdd(fcsr, a, b, c ^ signBit<u32>(), rm);
}

/** -(a * b) + c: fnmsub */
export function f64NegMulSub(fcsr: usize, a: u64, b: u64, c: u64, rm: u32): u64 {
  return f64MulAdd(fcsr, a ^ signBit<u64>(), b, c, rm);
}

export function f32NegMulSub(fcsr: usize, a: u32, b: u32, c: u32, rm: u32): u32 {
  return f32MulAdd(fcsr, a ^ signBit<u32>(), b, c, rm);
}

/** -(a * b) - c: fnmadd */
export function f64NegMulAdd(fcsr: usize, a: u64, b: u64, c: u64, rm: u32): u64 {
  return f64MulAdd(fcsr, a ^ signBit<u64>(), b, c ^ signBit<u64>(), rm);
}

export function f32NegMulAdd(fcsr: usize, a: u32, b: u32, c: u32, rm: u32): u32 {
  return f32MulAdd(fcsr, a ^ signBit<u32>(), b, c ^ signBit<u32>(), rm);
}

/** Small enough to be split in halves without overflow (a NaN is not). */
function inSplitRange(x: f64): bool {
  return abs(x) < 1e290;
}

/** Far from overflow, from underflow, and not zero, whose sign is the exact way's business. */
function inSafeRange(result: f64): bool {
  const size = abs(result);
  return size > 1e-290 && size < Infinity;
}

/** x * y - product, exactly (Dekker, with Veltkamp's splitting by 2^27 + 1). */
function productError(x: f64, y: f64, product: f64): f64 {
  const xSplit = x * 134217729.0;
  const ySplit = y * 134217729.0;
  const xHigh = xSplit - (xSplit - x);
  const yHigh = ySplit - (ySplit - y);
  const xLow = x - xHigh;
  const yLow = y - yHigh;
  return xLow * yLow - (product - xHigh * yHigh - xLow * yHigh - xHigh * yLow);
}

/** x + y - sum, exactly (Knuth). */
function sumError(x: f64, y: f64, sum: f64): f64 {
  const yPart = sum - x;
  return x - (sum - yPart) + (y - yPart);
}

function mulAdd<B extends number>(fcsr: usize, a: B, b: B, c: B, rm: u32): B {
  const sizeA = magnitude<B>(a);
  const sizeB = magnitude<B>(b);
  const sizeC = magnitude<B>(c);
  if (sizeA >= infinity<B>() || sizeB >= infinity<B>() || sizeC >= infinity<B>()) return special<B>(fcsr, a, b, c);
  const sign = signOf<B>(a) ^ signOf<B>(b);
  if (sizeA == 0 || sizeB == 0) {
    return sizeC != 0 || sign == signOf<B>(c) ? c : zeroSum<B>(rm);
  }
  const sigA = significand<B>(a);
  const sigB = significand<B>(b);
  const productHigh = multiplyHigh(sigA, sigB);
  const productLow = sigA * sigB;
  // In [1, 4): bit 127 stands for 2, which the exponent takes over; one more shift right leaves bit 127 free.
  const exp = exponent<B>(a) + exponent<B>(b) - bias<B>() + 1;
  const high = productHigh >> 1;
  const low = (productHigh << 63) | (productLow >> 1);
  if (sizeC == 0) return roundWide<B>(fcsr, sign, exp, high, low, rm);
  const sigC = significand<B>(c) >> 1;
  const shift = exp - exponent<B>(c);
  if (shift >= 0) {
    const cHigh = shiftRightHigh(sigC, shift);
    const cLow = shiftRightLowJam(sigC, 0, shift);
    return addWide<B>(fcsr, sign, exp, high, low, signOf<B>(c), cHigh, cLow, rm);
  }
  const productShifted = shiftRightHigh(high, -shift);
  const productRest = shiftRightLowJam(high, low, -shift);
  return addWide<B>(fcsr, sign, exponent<B>(c), productShifted, productRest, signOf<B>(c), sigC, 0, rm);
}

/** An infinity or a NaN among the operands. inf * 0 is invalid even when c is a quiet NaN (chapter "F", section 6). */
function special<B extends number>(fcsr: usize, a: B, b: B, c: B): B {
  const sizeA = magnitude<B>(a);
  const sizeB = magnitude<B>(b);
  const meaningless = (sizeA == infinity<B>() && sizeB == 0) || (sizeA == 0 && sizeB == infinity<B>());
  if (meaningless || isSignalling<B>(c)) raise(fcsr, Flag.Invalid);
  if (isNaNBits<B>(a) || isNaNBits<B>(b)) return nanResult<B>(fcsr, a, b);
  if (meaningless || isNaNBits<B>(c)) return canonicalNaN<B>();
  const sign = signOf<B>(a) ^ signOf<B>(b);
  if (sizeA != infinity<B>() && sizeB != infinity<B>()) return c;
  if (magnitude<B>(c) != infinity<B>() || signOf<B>(c) == sign) return withSign<B>(sign, infinity<B>());
  raise(fcsr, Flag.Invalid);
  return canonicalNaN<B>();
}

/** Adds two values of one exponent; bit 126 stands for 1, bit 127 is free. */
function addWide<B extends number>(
  fcsr: usize,
  sign: u32,
  exp: i32,
  high: u64,
  low: u64,
  otherSign: u32,
  otherHigh: u64,
  otherLow: u64,
  rm: u32,
): B {
  if (sign == otherSign) {
    const sumLow = low + otherLow;
    return roundWide<B>(fcsr, sign, exp, high + otherHigh + u64(sumLow < low), sumLow, rm);
  }
  if (high > otherHigh || (high == otherHigh && low > otherLow)) {
    return roundWide<B>(fcsr, sign, exp, high - otherHigh - u64(low < otherLow), low - otherLow, rm);
  }
  if (high == otherHigh && low == otherLow) return zeroSum<B>(rm);
  return roundWide<B>(fcsr, otherSign, exp, otherHigh - high - u64(otherLow < low), otherLow - low, rm);
}

/** Normalises and rounds a non-zero (high, low) whose bit 126 stands for 1. */
function roundWide<B extends number>(fcsr: usize, sign: u32, exp: i32, high: u64, low: u64, rm: u32): B {
  if (high == 0) {
    high = low;
    low = 0;
    exp -= 64;
  }
  const lead = <i32>clz<u64>(high);
  if (lead != 0) {
    high = (high << lead) | (low >> (64 - lead));
    low <<= lead;
  }
  return round<B>(fcsr, sign, exp + 1 - lead, high | u64(low != 0), rm);
}
