/** hart/fp-single.ts: OP-FP instructions on singles, NaN-boxed in their registers.
 *  Promise     returns false, with nothing changed, for an encoding that is none; `rm` is resolved where it is a
 *              rounding mode, and funct3 where it is not                                                            */

import { frs1, frs2, rs1, rs1w, rs2Number, setFrd, setRd } from "./decode";
import { FpOp } from "./fp-op";
import {
  boxS,
  f32Add,
  f32Classify,
  f32Div,
  f32Eq,
  f32FromI32,
  f32FromI64,
  f32FromU32,
  f32FromU64,
  f32Le,
  f32Lt,
  f32Max,
  f32Min,
  f32Mul,
  f32SignInject,
  f32SignNegate,
  f32SignXor,
  f32Sqrt,
  f32Sub,
  f32ToI32,
  f32ToI64,
  f32ToU32,
  f32ToU64,
  f64ToF32,
  unboxS,
} from "./fpu";
import { FCSR } from "./record";

export function singleOp(cpu: usize, insn: u32, op: i32, rm: u32): bool {
  const a = unboxS(frs1(cpu, insn));
  const b = unboxS(frs2(cpu, insn));
  const source = rs2Number(insn);
  switch (op) {
    case FpOp.Sign:
      return sign(cpu, insn, a, b, rm);
    case FpOp.MinMax:
      return minMax(cpu, insn, a, b, rm);
    case FpOp.Compare:
      return compare(cpu, insn, a, b, rm);
    case FpOp.Convert:
      if (source != 1) return false;
      setFrd(cpu, insn, boxS(f64ToF32(cpu + FCSR, frs1(cpu, insn), rm)));
      return true;
    case FpOp.ToInt:
      return toInt(cpu, insn, a, source, rm);
    case FpOp.FromInt:
      return fromInt(cpu, insn, source, rm);
    case FpOp.MoveOut:
      if (source != 0 || rm > 1) return false;
      setRd(cpu, insn, rm == 0 ? <u64>(<i64>(<i32>frs1(cpu, insn))) : f32Classify(a));
      return true;
    case FpOp.MoveIn:
      if (source != 0 || rm != 0) return false;
      setFrd(cpu, insn, boxS(rs1w(cpu, insn)));
      return true;
    default:
      return arithmetic(cpu, insn, op, a, b, rm);
  }
}

function arithmetic(cpu: usize, insn: u32, op: i32, a: u32, b: u32, rm: u32): bool {
  let r: u32 = 0;
  if (op == FpOp.Add) r = f32Add(cpu + FCSR, a, b, rm);
  else if (op == FpOp.Sub) r = f32Sub(cpu + FCSR, a, b, rm);
  else if (op == FpOp.Mul) r = f32Mul(cpu + FCSR, a, b, rm);
  else if (op == FpOp.Div) r = f32Div(cpu + FCSR, a, b, rm);
  else if (op == FpOp.Sqrt && rs2Number(insn) == 0) r = f32Sqrt(cpu + FCSR, a, rm);
  else return false;
  setFrd(cpu, insn, boxS(r));
  return true;
}

function sign(cpu: usize, insn: u32, a: u32, b: u32, which: u32): bool {
  if (which > 2) return false;
  let r = f32SignInject(a, b);
  if (which == 1) r = f32SignNegate(a, b);
  else if (which == 2) r = f32SignXor(a, b);
  setFrd(cpu, insn, boxS(r));
  return true;
}

function minMax(cpu: usize, insn: u32, a: u32, b: u32, which: u32): bool {
  if (which > 1) return false;
  setFrd(cpu, insn, boxS(which == 0 ? f32Min(cpu + FCSR, a, b) : f32Max(cpu + FCSR, a, b)));
  return true;
}

function compare(cpu: usize, insn: u32, a: u32, b: u32, which: u32): bool {
  let r: u32 = 0;
  if (which == 0) r = f32Le(cpu + FCSR, a, b);
  else if (which == 1) r = f32Lt(cpu + FCSR, a, b);
  else if (which == 2) r = f32Eq(cpu + FCSR, a, b);
  else return false;
  setRd(cpu, insn, r);
  return true;
}

function toInt(cpu: usize, insn: u32, a: u32, kind: u32, rm: u32): bool {
  let r: u64 = 0;
  if (kind == 0) r = <u64>(<i64>f32ToI32(cpu + FCSR, a, rm));
  else if (kind == 1) r = <u64>(<i64>(<i32>f32ToU32(cpu + FCSR, a, rm)));
  else if (kind == 2) r = <u64>f32ToI64(cpu + FCSR, a, rm);
  else if (kind == 3) r = f32ToU64(cpu + FCSR, a, rm);
  else return false;
  setRd(cpu, insn, r);
  return true;
}

function fromInt(cpu: usize, insn: u32, kind: u32, rm: u32): bool {
  let r: u32 = 0;
  if (kind == 0) r = f32FromI32(cpu + FCSR, <i32>rs1w(cpu, insn), rm);
  else if (kind == 1) r = f32FromU32(cpu + FCSR, rs1w(cpu, insn), rm);
  else if (kind == 2) r = f32FromI64(cpu + FCSR, <i64>rs1(cpu, insn), rm);
  else if (kind == 3) r = f32FromU64(cpu + FCSR, rs1(cpu, insn), rm);
  else return false;
  setFrd(cpu, insn, boxS(r));
  return true;
}
