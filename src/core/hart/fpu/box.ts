/** hart/fpu/box.ts: singles in the 64-bit f registers (chapter "D", section 2, "NaN Boxing").
 *  A single is valid only under 32 one bits; whatever else is there reads as the canonical NaN.                     */

import { canonicalNaN } from "./format";

export function boxS(bits: u32): u64 {
  return 0xffffffff00000000 | <u64>bits;
}

export function unboxS(register: u64): u32 {
  return register >= 0xffffffff00000000 ? <u32>register : canonicalNaN<u32>();
}
