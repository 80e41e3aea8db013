/** hart/fp-double.ts: OP-FP instructions on doubles.
 *  Promise     returns false, with nothing changed, for an encoding that is none; `rm` is resolved where it is a
 *              rounding mode, and funct3 where it is not                                                            */

import { frs1, frs2, rs1, rs1w, rs2Number, setFrd, setRd } from "./decode";
import { FpOp } from "./fp-op";
import {
  f32ToF64,
  f64Add,
  f64Classify,
  f64Div,
  f64Eq,
  f64FromI32,
  f64FromI64,
  f64FromU32,
  f64FromU64,
  f64Le,
  f64Lt,
  f64Max,
  f64Min,
  f64Mul,
  f64SignInject,
  f64SignNegate,
  f64SignXor,
  f64Sqrt,
  f64Sub,
  f64ToI32,
  f64ToI64,
  f64ToU32,
  f64ToU64,
  unboxS,
} from "./fpu";
import { FCSR } from "./record";

export function doubleOp(cpu: usize, insn: u32, op: i32, rm: u32): bool {
  const a = frs1(cpu, insn);
  const b = frs2(cpu, insn);
  const source = rs2Number(insn);
  switch (op) {
    case FpOp.Sign:
      return sign(cpu, insn, a, b, rm);
    case FpOp.MinMax:
      return minMax(cpu, insn, a, b, rm);
    case FpOp.Compare:
      return compare(cpu, insn, a, b, rm);
    case FpOp.Convert:
      if (source != 0) return false;
      setFrd(cpu, insn, f32ToF64(cpu + FCSR, unboxS(frs1(cpu, insn))));
      return true;
    case FpOp.ToInt:
      return toInt(cpu, insn, a, source, rm);
    case FpOp.FromInt:
      return fromInt(cpu, insn, source, rm);
    case FpOp.MoveOut:
      if (source != 0 || rm > 1) return false;
      setRd(cpu, insn, rm == 0 ? frs1(cpu, insn) : f64Classify(a));
      return true;
    case FpOp.MoveIn:
      if (source != 0 || rm != 0) return false;
      setFrd(cpu, insn, rs1(cpu, insn));
      return true;
    default:
      return arithmetic(cpu, insn, op, a, b, rm);
  }
}

function arithmetic(cpu: usize, insn: u32, op: i32, a: u64, b: u64, rm: u32): bool {
  let r: u64 = 0;
  if (op == FpOp.Add) r = f64Add(cpu + FCSR, a, b, rm);
  else if (op == FpOp.Sub) r = f64Sub(cpu + FCSR, a, b, rm);
  else if (op == FpOp.Mul) r = f64Mul(cpu + FCSR, a, b, rm);
  else if (op == FpOp.Div) r = f64Div(cpu + FCSR, a, b, rm);
  else if (op == FpOp.Sqrt && rs2Number(insn) == 0) r = f64Sqrt(cpu + FCSR, a, rm);
  else return false;
  setFrd(cpu, insn, r);
  return true;
}

function sign(cpu: usize, insn: u32, a: u64, b: u64, which: u32): bool {
  if (which > 2) return false;
  let r = f64SignInject(a, b);
  if (which == 1) r = f64SignNegate(a, b);
  else if (which == 2) r = f64SignXor(a, b);
  setFrd(cpu, insn, r);
  return true;
}

function minMax(cpu: usize, insn: u32, a: u64, b: u64, which: u32): bool {
  if (which > 1) return false;
  setFrd(cpu, insn, which == 0 ? f64Min(cpu + FCSR, a, b) : f64Max(cpu + FCSR, a, b));
  return true;
}

function compare(cpu: usize, insn: u32, a: u64, b: u64, which: u32): bool {
  let r: u32 = 0;
  if (which == 0) r = f64Le(cpu + FCSR, a, b);
  else if (which == 1) r = f64Lt(cpu + FCSR, a, b);
  else if (which == 2) r = f64Eq(cpu + FCSR, a, b);
  else return false;
  setRd(cpu, insn, r);
  return true;
}

function toInt(cpu: usize, insn: u32, a: u64, kind: u32, rm: u32): bool {
  let r: u64 = 0;
  if (kind == 0) r = <u64>(<i64>f64ToI32(cpu + FCSR, a, rm));
  else if (kind == 1) r = <u64>(<i64>(<i32>f64ToU32(cpu + FCSR, a, rm)));
  else if (kind == 2) r = <u64>f64ToI64(cpu + FCSR, a, rm);
  else if (kind == 3) r = f64ToU64(cpu + FCSR, a, rm);
  else return false;
  setRd(cpu, insn, r);
  return true;
}

function fromInt(cpu: usize, insn: u32, kind: u32, rm: u32): bool {
  let r: u64 = 0;
  if (kind == 0) r = f64FromI32(cpu + FCSR, <i32>rs1w(cpu, insn), rm);
  else if (kind == 1) r = f64FromU32(cpu + FCSR, rs1w(cpu, insn), rm);
  else if (kind == 2) r = f64FromI64(cpu + FCSR, <i64>rs1(cpu, insn), rm);
  else if (kind == 3) r = f64FromU64(cpu + FCSR, rs1(cpu, insn), rm);
  else return false;
  setFrd(cpu, insn, r);
  return true;
}
