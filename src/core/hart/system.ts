/** hart/system.ts: SYSTEM instructions that user mode has: ecall, ebreak, and the CSRs of Zicsr.
 *
 *  CSRs        fflags, frm, fcsr; cycle, time, instret read-only. cycle counts instructions; time is the engine's
 *              monotonic clock in nanoseconds (a timebase of 1 GHz)
 *  Illegal     any other CSR, a write to a read-only one, any privileged instruction
 *  Spec        RISC-V unprivileged ISA, chapters "Zicsr" and "Zicntr"                                               */
import { Exit } from "../abi/exit";
import { now } from "../sync/env";
import { funct3, Next, rs1, rs1Number, setRd } from "./decode";
import { getFcsr, instructions, setFcsr } from "./record";
import { breakpoint, illegal } from "./trap";

enum Csr {
  Fflags = 0x001,
  Frm = 0x002,
  Fcsr = 0x003,
  Cycle = 0xc00,
  Time = 0xc01,
  Instret = 0xc02,
}

const ECALL: u32 = 0x00000073;
const EBREAK: u32 = 0x00100073;

/** `pc` is the instruction's; the count of instructions is up to date. */
export function system(cpu: usize, insn: u32, pc: u64): i32 {
  if (insn == ECALL) return Exit.Ecall;
  if (insn == EBREAK) return breakpoint(cpu, pc);
  const f3 = funct3(insn);
  if ((f3 & 3) == 0) return illegal(cpu, insn);
  const csr = <i32>(insn >> 20);
  const source = rs1Number(insn);
  const writes = (f3 & 3) == 1 || source != 0;
  if (!exists(csr) || (writes && csr >= Csr.Cycle)) return illegal(cpu, insn);
  const operand: u64 = (f3 & 4) != 0 ? source : rs1(cpu, insn);
  const old = readCsr(cpu, csr);
  if (writes) writeCsr(cpu, csr, combine(f3 & 3, old, operand));
  setRd(cpu, insn, old);
  return Next.Done;
}

/** csrrw, csrrs, csrrc. */
function combine(op: u32, old: u64, operand: u64): u64 {
  if (op == 1) return operand;
  return op == 2 ? old | operand : old & ~operand;
}

function exists(csr: i32): bool {
  return (csr >= Csr.Fflags && csr <= Csr.Fcsr) || (csr >= Csr.Cycle && csr <= Csr.Instret);
}

function readCsr(cpu: usize, csr: i32): u64 {
  switch (csr) {
    case Csr.Fflags:
      return getFcsr(cpu) & 31;
    case Csr.Frm:
      return getFcsr(cpu) >> 5;
    case Csr.Fcsr:
      return getFcsr(cpu);
    case Csr.Time:
      return <u64>now();
    default:
      return instructions(cpu);
  }
}

function writeCsr(cpu: usize, csr: i32, value: u64): void {
  const old = getFcsr(cpu);
  const low = <u32>value;
  if (csr == Csr.Fflags) setFcsr(cpu, (old & 0xe0) | (low & 31));
  else if (csr == Csr.Frm) setFcsr(cpu, (old & 31) | ((low & 7) << 5));
  else setFcsr(cpu, low);
}
