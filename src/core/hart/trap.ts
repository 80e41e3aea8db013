/** hart/trap.ts: the exceptions that an instruction raises by itself; page faults come from mm/fill.ts.
 *  Promise     the trap fields are set and the hart stops with pc at the instruction, which changed nothing
 *  Spec        RISC-V privileged ISA, scause and stval; si_code as Linux arch/riscv/kernel/traps.c sends it         */
import { Cause, Exit } from "../abi/exit";
import { setTrap } from "../sync/cpu";

const ILL_ILLOPC: u32 = 1;
const TRAP_BRKPT: u32 = 1;
const BUS_ADRALN: u32 = 1;

/** Bits of a row that no 32-bit instruction has: hart/rvc.ts marks a 16-bit encoding that is none with it. */
export const ILLEGAL_HALF: u32 = 0x7c;

/** The trap value is the instruction as fetched: 16 bits of it for a compressed one. */
export function illegal(cpu: usize, insn: u32): i32 {
  setTrap(cpu, Cause.Illegal, (insn & 3) == 3 ? insn : insn >> 16, ILL_ILLOPC);
  return Exit.Trap;
}

export function breakpoint(cpu: usize, pc: u64): i32 {
  setTrap(cpu, Cause.Breakpoint, pc, TRAP_BRKPT);
  return Exit.Trap;
}

/** LR, SC and AMO must be aligned: nothing narrower than the access is atomic. */
export function misaligned(cpu: usize, cause: u32, va: u64): i32 {
  setTrap(cpu, cause, va, BUS_ADRALN);
  return Exit.Trap;
}
