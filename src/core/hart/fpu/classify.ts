/** hart/fpu/classify.ts: fclass, one bit of ten (chapter "F", section 9). Raises nothing.
 *
 *      bit   0     1        2           3    4    5           6        7     8           9
 *           -inf  -normal  -subnormal  -0   +0   +subnormal  +normal  +inf  signalling  quiet                       */

import { field, infinity, isNaNBits, isSignalling, magnitude, signOf } from "./format";

export function f64Classify(a: u64): u32 {
  return classify<u64>(a);
}

export function f32Classify(a: u32): u32 {
  return classify<u32>(a);
}

function classify<B extends number>(a: B): u32 {
  if (isNaNBits<B>(a)) return isSignalling<B>(a) ? 1 << 8 : 1 << 9;
  const size = magnitude<B>(a);
  const rank = size == infinity<B>() ? 3 : field<B>(a) != 0 ? 2 : size != 0 ? 1 : 0;
  const bit: u32 = signOf<B>(a) != 0 ? 3 - rank : 4 + rank;
  return 1 << bit;
}
