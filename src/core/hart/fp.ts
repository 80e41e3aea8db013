/** hart/fp.ts: the F and D extensions: rounding mode, then by precision.
 *
 *  What        OP-FP and the four fused multiply-adds; loads and stores are in run.ts and access.ts, arithmetic in fpu/
 *  Rounding    the rm field, or frm when it says 7; 5 and 6, or frm above 4, make the instruction illegal. Operations
 *              whose funct3 selects something else (sign injection, min, compare, moves, class) do not look at it.
 *  Singles     are NaN-boxed: an operand that is not boxed is the canonical NaN
 *  Spec        RISC-V unprivileged ISA, chapters "F" and "D"                                                        */

import { frs1, frs2, frs3, funct3, Next, Row, rowOf, setFrd } from "./decode";
import { doubleOp } from "./fp-double";
import { FpOp } from "./fp-op";
import { singleOp } from "./fp-single";
import {
  boxS,
  f32MulAdd,
  f32MulSub,
  f32NegMulAdd,
  f32NegMulSub,
  f64MulAdd,
  f64MulSub,
  f64NegMulAdd,
  f64NegMulSub,
  unboxS,
} from "./fpu";
import { FCSR, getFcsr } from "./record";
import { illegal } from "./trap";

/** No rounding mode: the instruction is illegal. */
const BAD_ROUND: u32 = 5;

function rounding(cpu: usize, insn: u32): u32 {
  const rm = funct3(insn);
  return rm == 7 ? getFcsr(cpu) >> 5 : rm;
}

export function fp(cpu: usize, insn: u32): i32 {
  let rm = funct3(insn);
  const op = <i32>(insn >> 27);
  const format = (insn >> 25) & 3;
  if (format > 1) return illegal(cpu, insn);
  if (rounds(op)) {
    rm = rounding(cpu, insn);
    if (rm >= BAD_ROUND) return illegal(cpu, insn);
  }
  const done = format == 1 ? doubleOp(cpu, insn, op, rm) : singleOp(cpu, insn, op, rm);
  return done ? Next.Done : illegal(cpu, insn);
}

function rounds(op: i32): bool {
  return op <= FpOp.Div || op == FpOp.Sqrt || op == FpOp.Convert || op == FpOp.ToInt || op == FpOp.FromInt;
}

export function fusedMulAdd(cpu: usize, insn: u32): i32 {
  const format = (insn >> 25) & 3;
  const rm = rounding(cpu, insn);
  if (format > 1 || rm >= BAD_ROUND) return illegal(cpu, insn);
  const a = frs1(cpu, insn);
  const b = frs2(cpu, insn);
  const c = frs3(cpu, insn);
  const kind = rowOf(insn) & 0xf8;
  if (format == 1) setFrd(cpu, insn, fusedDouble(cpu + FCSR, kind, a, b, c, rm));
  else setFrd(cpu, insn, boxS(fusedSingle(cpu + FCSR, kind, unboxS(a), unboxS(b), unboxS(c), rm)));
  return Next.Done;
}

function fusedDouble(fcsr: usize, kind: u32, a: u64, b: u64, c: u64, rm: u32): u64 {
  switch (kind) {
    case Row.MulAdd:
      return f64MulAdd(fcsr, a, b, c, rm);
    case Row.MulSub:
      return f64MulSub(fcsr, a, b, c, rm);
    case Row.NegMulSub:
      return f64NegMulSub(fcsr, a, b, c, rm);
    default:
      return f64NegMulAdd(fcsr, a, b, c, rm);
  }
}

function fusedSingle(fcsr: usize, kind: u32, a: u32, b: u32, c: u32, rm: u32): u32 {
  switch (kind) {
    case Row.MulAdd:
      return f32MulAdd(fcsr, a, b, c, rm);
    case Row.MulSub:
      return f32MulSub(fcsr, a, b, c, rm);
    case Row.NegMulSub:
      return f32NegMulSub(fcsr, a, b, c, rm);
    default:
      return f32NegMulAdd(fcsr, a, b, c, rm);
  }
}
