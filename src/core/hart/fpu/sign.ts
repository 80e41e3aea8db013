/** hart/fpu/sign.ts: fsgnj, fsgnjn, fsgnjx: a's magnitude with b's sign, its opposite, or both signs' exclusive or.
 *  Plain bit work: NaNs pass unchanged and nothing is raised. fmv, fneg and fabs are these with a == b.             */

import { magnitude, signBit } from "./format";

export function f64SignInject(a: u64, b: u64): u64 {
  return magnitude<u64>(a) | (b & signBit<u64>());
}

export function f32SignInject(a: u32, b: u32): u32 {
  return magnitude<u32>(a) | (b & signBit<u32>());
}

export function f64SignNegate(a: u64, b: u64): u64 {
  return magnitude<u64>(a) | (~b & signBit<u64>());
}

export function f32SignNegate(a: u32, b: u32): u32 {
  return magnitude<u32>(a) | (~b & signBit<u32>());
}

export function f64SignXor(a: u64, b: u64): u64 {
  return a ^ (b & signBit<u64>());
}

export function f32SignXor(a: u32, b: u32): u32 {
  return a ^ (b & signBit<u32>());
}
