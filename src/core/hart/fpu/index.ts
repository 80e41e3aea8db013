/** hart/fpu/index.ts: the F and D arithmetic of the guest CPU, exact to the bit.
 *
 *  Calling     `fcsr` is the address of a u32 word: fflags in bits 0-4 (NX 1, UF 2, OF 4, DZ 8, NV 16), frm above
 *              them; flags are OR-ed into it. It is private to the hart that calls, so plain accesses do.
 *              `rm` is the resolved rounding mode, 0-4 (RNE RTZ RDN RUP RMM); the hart refuses 5-7 beforehand.
 *              Doubles travel as u64 bits, singles as u32 bits; boxS and unboxS cross to the 64-bit registers.
 *  Promise     results and flags are those of the RISC-V unprivileged ISA, chapters "F" and "D": canonical NaNs,
 *              tininess detected after rounding, NV on signalling NaNs
 *  Algorithm   native wasm arithmetic where no flag can be missed (format.ts:mayUseNative), else integers
 *
 *  In the list below each name exists for f32 (u32) and f64 (u64); B is those bits, all take fcsr first unless noted:
 *    f64Add f64Sub f64Mul f64Div        (fcsr, a: B, b: B, rm): B
 *    f64Sqrt                            (fcsr, a: B, rm): B
 *    f64MulAdd  f64MulSub               (fcsr, a: B, b: B, c: B, rm): B      a*b+c, a*b-c      (fmadd, fmsub)
 *    f64NegMulSub  f64NegMulAdd         (fcsr, a: B, b: B, c: B, rm): B     -a*b+c, -a*b-c     (fnmsub, fnmadd)
 *    f64Min f64Max                      (fcsr, a: B, b: B): B
 *    f64Eq f64Lt f64Le                  (fcsr, a: B, b: B): u32              0 or 1
 *    f64Classify                        (a: B): u32                          one bit of ten, no fcsr
 *    f64SignInject f64SignNegate f64SignXor   (a: B, b: B): B                fsgnj fsgnjn fsgnjx, no fcsr
 *    f64ToI32 f64ToU32 f64ToI64 f64ToU64      (fcsr, a: B, rm): i32, u32, i64, u64
 *                                       (fcvt.wu sign-extends the u32 into x[rd]: the hart's business)
 *    f64FromI32 f64FromU32 f64FromI64 f64FromU64   (fcsr, value, rm): B
 *    f64ToF32 (fcsr, a: u64, rm): u32   f32ToF64 (fcsr, a: u32): u64
 *    boxS (bits: u32): u64              unboxS (register: u64): u32          canonical NaN when not boxed            */

export { f32Add, f32Sub, f64Add, f64Sub } from "./add";
export { boxS, unboxS } from "./box";
export { f32Classify, f64Classify } from "./classify";
export { f32Eq, f32Le, f32Lt, f64Eq, f64Le, f64Lt } from "./compare";
export { f32Div, f64Div } from "./divide";
export { Flag, Round } from "./format";
export {
  f32FromI32,
  f32FromI64,
  f32FromU32,
  f32FromU64,
  f64FromI32,
  f64FromI64,
  f64FromU32,
  f64FromU64,
} from "./from-integer";
export {
  f32MulAdd,
  f32MulSub,
  f32NegMulAdd,
  f32NegMulSub,
  f64MulAdd,
  f64MulSub,
  f64NegMulAdd,
  f64NegMulSub,
} from "./fused";
export { f32Max, f32Min, f64Max, f64Min } from "./minmax";
export { f32Mul, f64Mul } from "./multiply";
export {
  f32SignInject,
  f32SignNegate,
  f32SignXor,
  f64SignInject,
  f64SignNegate,
  f64SignXor,
} from "./sign";
export { f32Sqrt, f64Sqrt } from "./sqrt";
export {
  f32ToI32,
  f32ToI64,
  f32ToU32,
  f32ToU64,
  f64ToI32,
  f64ToI64,
  f64ToU32,
  f64ToU64,
} from "./to-integer";
export { f32ToF64, f64ToF32 } from "./width";
