/** hart/decode.ts: the fields of a 32-bit instruction, and the row it is dispatched on.
 *
 *     31        25 24   20 19   15 14    12 11     7 6       2 1 0
 *    ┌────────────┬───────┬───────┬────────┬────────┬─────────┬───┐
 *    │   funct7   │  rs2  │  rs1  │ funct3 │   rd   │ opcode  │1 1│
 *    └────────────┴───────┴───────┴────────┴────────┴─────────┴───┘
 *
 *  Dispatch    case = opcode (5 bits) << 3 | funct3: 256 dense cases, one indirect jump. U and J formats, whose
 *              funct3 bits belong to the immediate, take all eight cases of their row.
 *  Registers   are read and written at cpu + 8 * number + X, so a field is shifted just enough to leave number * 8
 *  Spec        RISC-V unprivileged ISA, chapter "RV32I", section "Immediate Encoding Variants"                      */
import { F, X } from "./record";

/** First case of each major opcode (bits 6-2 of the instruction, times 8). */
export enum Row {
  Load = 0x00,
  LoadFp = 0x08,
  MiscMem = 0x18,
  OpImm = 0x20,
  Auipc = 0x28,
  OpImm32 = 0x30,
  Store = 0x40,
  StoreFp = 0x48,
  Amo = 0x58,
  Op = 0x60,
  Lui = 0x68,
  Op32 = 0x70,
  MulAdd = 0x80,
  MulSub = 0x88,
  NegMulSub = 0x90,
  NegMulAdd = 0x98,
  OpFp = 0xa0,
  Branch = 0xc0,
  Jalr = 0xc8,
  Jal = 0xd8,
  System = 0xe0,
}

/** What a group of rare instructions tells the hot loop, besides an Exit (positive). */
export enum Next {
  /** Done: go on with the next instruction. */
  Done = 0,
  /** pc is new and guest code has reached a poll. */
  Poll = -1,
  /** A fill was made: nothing that was fetched or translated holds; the instruction starts again. */
  Restart = -2,
  /** Done, but what follows must be fetched anew. */
  Refetch = -3,
}

export function rowOf(insn: u32): u32 {
  return ((insn & 0x7c) << 1) | ((insn >> 12) & 7);
}

export function funct3(insn: u32): u32 {
  return (insn >> 12) & 7;
}

export function funct7(insn: u32): u32 {
  return insn >> 25;
}

export function rs1Number(insn: u32): u32 {
  return (insn >> 15) & 31;
}

export function rs2Number(insn: u32): u32 {
  return (insn >> 20) & 31;
}

export function rs1(cpu: usize, insn: u32): u64 {
  return load<u64>(cpu + ((insn >> 12) & 0xf8), X);
}

export function rs2(cpu: usize, insn: u32): u64 {
  return load<u64>(cpu + ((insn >> 17) & 0xf8), X);
}

/** The low halves, for the 32-bit operations. */
export function rs1w(cpu: usize, insn: u32): u32 {
  return load<u32>(cpu + ((insn >> 12) & 0xf8), X);
}

export function rs2w(cpu: usize, insn: u32): u32 {
  return load<u32>(cpu + ((insn >> 17) & 0xf8), X);
}

export function setRd(cpu: usize, insn: u32, value: u64): void {
  store<u64>(cpu + ((insn >> 4) & 0xf8), value, X);
}

/** Writes a 32-bit result, sign-extended. */
export function setRdw(cpu: usize, insn: u32, value: u32): void {
  store<u64>(cpu + ((insn >> 4) & 0xf8), <u64>(<i64>(<i32>value)), X);
}

export function frs1(cpu: usize, insn: u32): u64 {
  return load<u64>(cpu + ((insn >> 12) & 0xf8), F);
}

export function frs2(cpu: usize, insn: u32): u64 {
  return load<u64>(cpu + ((insn >> 17) & 0xf8), F);
}

export function frs3(cpu: usize, insn: u32): u64 {
  return load<u64>(cpu + ((insn >> 24) & 0xf8), F);
}

export function setFrd(cpu: usize, insn: u32, value: u64): void {
  store<u64>(cpu + ((insn >> 4) & 0xf8), value, F);
}

export function immI(insn: u32): u64 {
  return <u64>(<i64>(<i32>insn >> 20));
}

export function immS(insn: u32): u64 {
  return <u64>(<i64>(((<i32>insn >> 25) << 5) | ((insn >> 7) & 31)));
}

export function immU(insn: u32): u64 {
  return <u64>(<i64>(<i32>(insn & 0xfffff000)));
}

export function immB(insn: u32): i32 {
  return ((<i32>insn >> 31) << 12) | ((insn << 4) & 0x800) | ((insn >> 20) & 0x7e0) | ((insn >> 7) & 0x1e);
}

export function immJ(insn: u32): i32 {
  return ((<i32>insn >> 31) << 20) | (insn & 0xff000) | ((insn >> 9) & 0x800) | ((insn >> 20) & 0x7fe);
}
