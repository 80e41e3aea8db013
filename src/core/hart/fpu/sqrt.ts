/** hart/fpu/sqrt.ts: square root.
 *
 *  Fast path   a root that is finite is of a finite operand, not negative (-0 gives -0, exactly); a root never
 *              overflows or underflows.
 *  Algorithm   the exact way takes the root of the significand as an integer m of 53 or 54 bits, the exponent even:
 *              1 the native root of m is off by half a unit of its 53 bits at most
 *              2 the remainder m * 2^52 - q * q is at most 2^53 in size, so 64 wrapping bits hold it exactly
 *              3 a negative remainder takes one off q; a rest above q says the root is above q + 1/2
 *                ((q + 1/2)^2 = q^2 + q + 1/4), and is never equal to it                                           */

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
} from "./format";
import { round } from "./round";

export function f64Sqrt(fcsr: usize, a: u64, rm: u32): u64 {
  if (mayUseNative(fcsr, rm)) {
    const root = sqrt(reinterpret<f64>(a));
    if (root < Infinity) return reinterpret<u64>(root);
  }
  return squareRoot<u64>(fcsr, a, rm);
}

export function f32Sqrt(fcsr: usize, a: u32, rm: u32): u32 {
  if (mayUseNative(fcsr, rm)) {
    const root = sqrt(reinterpret<f32>(a));
    if (root < <f32>Infinity) return reinterpret<u32>(root);
  }
  return squareRoot<u32>(fcsr, a, rm);
}

function squareRoot<B extends number>(fcsr: usize, a: B, rm: u32): B {
  if (isNaNBits<B>(a)) return nanResult<B>(fcsr, a, a);
  if (magnitude<B>(a) == 0) return a;
  if (signOf<B>(a) != 0) return invalidResult<B>(fcsr);
  if (a == infinity<B>()) return a;
  const power = exponent<B>(a) - bias<B>();
  const m = (significand<B>(a) >> 11) << (power & 1);
  return round<B>(fcsr, 0, (power >> 1) + bias<B>(), rootSignificand(m), rm);
}

/** The root of m in [2^52, 2^54), as a significand with bit 63 set. */
function rootSignificand(m: u64): u64 {
  let q = <u64>(sqrt(<f64>m) * 67108864.0);
  let rest = <i64>((m << 52) - q * q);
  if (rest < 0) {
    q--;
    rest += <i64>(2 * q + 1);
  }
  const next = u64(rest > <i64>q);
  return (q << 11) | (next << 10) | u64(rest != 0);
}
