/** hart/record.ts: the guest CPU's registers, kept in its worker's CPU area.
 *
 *     cpu + 2048 ┌────────────────────────┐
 *          +0    │ x0 … x31               │ u64 × 32; x0 is a scratch word, set to 0 before every instruction
 *          +256  │ f0 … f31               │ u64 × 32; a single is NaN-boxed
 *          +512  │ pc                     │ u64, true only while the hart is out of guest code
 *          +520  │ fcsr                   │ u32, fflags in bits 0-4, frm in bits 5-7
 *          +524  │ reservation width      │ u32, 4 or 8; 0 = none
 *          +528  │ reservation address    │ u64
 *          +536  │ reservation value      │ u64, what LR read
 *          +544  │ instructions retired   │ u64, brought up to date on leaving guest code and by a read of instret
 *                └────────────────────────┘
 *
 *  All of it is private to the CPU: plain accesses. Getters and setters serve the run engine between two runs.      */
import { HART_PART } from "../sync/cpu";

export const X: usize = HART_PART;
export const F: usize = HART_PART + 256;
const PC: usize = HART_PART + 512;
export const FCSR: usize = HART_PART + 520;
const RESERVED_WIDTH: usize = HART_PART + 524;
const RESERVED_ADDRESS: usize = HART_PART + 528;
const RESERVED_VALUE: usize = HART_PART + 536;
const INSTRUCTIONS: usize = HART_PART + 544;
const HART_BYTES: usize = 552;

export function getX(cpu: usize, i: u32): u64 {
  return i == 0 ? 0 : load<u64>(cpu + ((<usize>(i & 31)) << 3), X);
}

export function setX(cpu: usize, i: u32, value: u64): void {
  store<u64>(cpu + ((<usize>(i & 31)) << 3), value, X);
}

export function getF(cpu: usize, i: u32): u64 {
  return load<u64>(cpu + ((<usize>(i & 31)) << 3), F);
}

export function setF(cpu: usize, i: u32, value: u64): void {
  store<u64>(cpu + ((<usize>(i & 31)) << 3), value, F);
}

export function getPc(cpu: usize): u64 {
  return load<u64>(cpu, PC);
}

export function setPc(cpu: usize, pc: u64): void {
  store<u64>(cpu, pc, PC);
}

export function getFcsr(cpu: usize): u32 {
  return load<u32>(cpu, FCSR);
}

export function setFcsr(cpu: usize, value: u32): void {
  store<u32>(cpu, value & 0xff, FCSR);
}

/** Instructions retired since the hart began. */
export function instructions(cpu: usize): u64 {
  return load<u64>(cpu, INSTRUCTIONS);
}

export function retire(cpu: usize, n: i64): void {
  store<u64>(cpu, load<u64>(cpu, INSTRUCTIONS) + n, INSTRUCTIONS);
}

/** A new thread starts with its creator's registers, without its reservation, and counts from 0. */
export function copyHart(to: usize, from: usize): void {
  memory.copy(to + HART_PART, from + HART_PART, HART_BYTES);
  clearReservation(to);
  store<u64>(to, 0, INSTRUCTIONS);
}

/** Fresh registers, for a hart area that an earlier thread used. */
export function resetHart(cpu: usize): void {
  memory.fill(cpu + HART_PART, 0, HART_BYTES);
}

export function reserve(cpu: usize, va: u64, value: u64, width: u32): void {
  store<u32>(cpu, width, RESERVED_WIDTH);
  store<u64>(cpu, va, RESERVED_ADDRESS);
  store<u64>(cpu, value, RESERVED_VALUE);
}

export function reserves(cpu: usize, va: u64, width: u32): bool {
  return load<u32>(cpu, RESERVED_WIDTH) == width && load<u64>(cpu, RESERVED_ADDRESS) == va;
}

export function reservedValue(cpu: usize): u64 {
  return load<u64>(cpu, RESERVED_VALUE);
}

/** A signal or a context switch ends the reservation: the next SC fails. */
export function clearReservation(cpu: usize): void {
  store<u32>(cpu, 0, RESERVED_WIDTH);
}
