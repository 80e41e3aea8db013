/** hart/fpu/wide.ts: 128-bit helpers. A wide value is two u64 locals, high and low, since a function returns one value:
 *  for each operation there is one function a half, and the optimiser shares what they have in common.                */

/** The upper 64 bits of a 64 x 64 bit product; the lower are a * b. */
export function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}

/** Upper half of (high, low) shifted right by `count` >= 0. */
export function shiftRightHigh(high: u64, count: i32): u64 {
  return count > 63 ? 0 : high >> count;
}

/** Lower half of (high, low) shifted right by `count` >= 0; bits that fall out leave a 1 in bit 0. */
export function shiftRightLowJam(high: u64, low: u64, count: i32): u64 {
  if (count == 0) return low;
  if (count < 64) {
    const left = 64 - count;
    return (high << left) | (low >> count) | u64(low << left != 0);
  }
  if (count == 64) return high | u64(low != 0);
  if (count < 128) return (high >> (count - 64)) | u64(((high << (128 - count)) | low) != 0);
  return u64((high | low) != 0);
}
