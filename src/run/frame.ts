/**
 * run/frame.ts: the signal frame on the guest's stack, as riscv64 Linux lays it out.
 *
 *     0 ┌ siginfo ──────────────────────────────┐ 128
 *   128 ├ ucontext: flags, link                 │  16
 *   144 │   uc_stack {sp, flags, size}          │  24
 *   168 │   uc_sigmask, and room for 1024 bits  │ 128
 *   304 ├ uc_mcontext (16-aligned)              │
 *       │   pc, x1 … x31                        │ 256
 *   560 │   f0 … f31, fcsr                      │ 528 with the room of Q
 *  1088 └───────────────────────────────────────┘
 *
 * Follows    arch/riscv/kernel/signal.c:setup_rt_frame, uapi/asm/{ucontext,sigcontext,ptrace}.h
 */
import { type Claim, writeSigInfo } from "./claim.js";
import type { Core } from "./core.js";
import type { AltStack } from "./thread.js";

export const FRAME_BYTES = 1088;
export const UCONTEXT = 128;
const UC_STACK = 144;
const UC_MASK = 168;
const REGISTERS = 304;
const FLOATS = 560;
const FCSR = FLOATS + 256;

/** Draws the frame of the thread's present state at 0 of `view`. */
export function writeFrame(view: DataView, core: Core, cpu: number, claim: Claim, mask: bigint, stack: AltStack): void {
  for (let i = UCONTEXT; i < FRAME_BYTES; i += 8) view.setBigUint64(i, 0n, true);
  writeSigInfo(view, 0, claim);
  view.setBigUint64(UC_STACK, BigInt.asUintN(64, stack.sp), true);
  view.setInt32(UC_STACK + 8, stack.flags, true);
  view.setBigUint64(UC_STACK + 16, BigInt.asUintN(64, stack.size), true);
  view.setBigUint64(UC_MASK, BigInt.asUintN(64, mask), true);
  view.setBigInt64(REGISTERS, core.getPc(cpu), true);
  for (let i = 1; i < 32; i++) view.setBigInt64(REGISTERS + i * 8, core.getX(cpu, i), true);
  for (let i = 0; i < 32; i++) view.setBigInt64(FLOATS + i * 8, core.getF(cpu, i), true);
  view.setUint32(FCSR, core.getFcsr(cpu), true);
}

/** Puts the registers back from the frame at 0 of `view`; what else it held. */
export function readFrame(view: DataView, core: Core, cpu: number): { mask: bigint; stack: AltStack } {
  core.setPc(cpu, view.getBigInt64(REGISTERS, true) & ~1n);
  for (let i = 1; i < 32; i++) core.setX(cpu, i, view.getBigInt64(REGISTERS + i * 8, true));
  for (let i = 0; i < 32; i++) core.setF(cpu, i, view.getBigInt64(FLOATS + i * 8, true));
  core.setFcsr(cpu, view.getUint32(FCSR, true));
  return {
    mask: view.getBigUint64(UC_MASK, true),
    stack: {
      sp: view.getBigUint64(UC_STACK, true),
      flags: view.getInt32(UC_STACK + 8, true),
      size: view.getBigUint64(UC_STACK + 16, true),
    },
  };
}
