/** hart/rvc.ts: compressed instructions, by way of their 32-bit equals.
 *
 *  What        `expand` gives the 32-bit instruction that a 16-bit one stands for; boot fills a table of all 65536,
 *              and the hot loop looks a half-word up there instead of taking it apart
 *
 *     HART_REGION + 4 * half ┌────────────┐
 *                            │ u32        │ the 32-bit instruction; half << 16 | ILLEGAL_HALF if there is none
 *                            └────────────┘
 *
 *  Races       written once by boot, before any CPU runs; read-only after
 *  Spec        RISC-V unprivileged ISA, chapter "C", tables "Instruction listing for RVC, Quadrant 0-2" (RV64)      */
import { HART_REGION } from "../sync/layout";
import { ILLEGAL_HALF } from "./trap";

/** Fills the table. */
export function hartBoot(): void {
  for (let half: u32 = 0; half < 0x10000; half++) {
    store<u32>(HART_REGION + (half << 2), expand(half));
  }
}

/** The expansion of the half-word, from the table. */
export function expanded(half: u32): u32 {
  return load<u32>(half << 2, HART_REGION);
}

export function expand(half: u32): u32 {
  const quadrant = half & 3;
  let insn: u32 = 0;
  if (quadrant == 0) insn = quadrant0(half);
  else if (quadrant == 1) insn = quadrant1(half);
  else if (quadrant == 2) insn = quadrant2(half);
  return insn != 0 ? insn : (half << 16) | ILLEGAL_HALF;
}

// The 32-bit formats, with full opcodes.

function typeI(opcode: u32, f3: u32, rd: u32, rs1: u32, imm: u32): u32 {
  return (imm << 20) | (rs1 << 15) | (f3 << 12) | (rd << 7) | opcode;
}

function typeS(opcode: u32, f3: u32, rs1: u32, rs2: u32, imm: u32): u32 {
  return ((imm >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (f3 << 12) | ((imm & 31) << 7) | opcode;
}

function typeR(opcode: u32, f3: u32, f7: u32, rd: u32, rs1: u32, rs2: u32): u32 {
  return (f7 << 25) | (rs2 << 20) | (rs1 << 15) | (f3 << 12) | (rd << 7) | opcode;
}

function typeB(f3: u32, rs1: u32, imm: u32): u32 {
  const low = (((imm >> 1) & 15) << 8) | (((imm >> 11) & 1) << 7);
  const high = (((imm >> 12) & 1) << 31) | (((imm >> 5) & 63) << 25);
  return high | (rs1 << 15) | (f3 << 12) | low | 0x63;
}

function typeJ(rd: u32, imm: u32): u32 {
  const high = (((imm >> 20) & 1) << 31) | (((imm >> 1) & 0x3ff) << 21);
  return high | (((imm >> 11) & 1) << 20) | (((imm >> 12) & 0xff) << 12) | (rd << 7) | 0x6f;
}

// Fields of the 16-bit formats.

/** `count` bits of the half-word from `from`, placed at bit `to`. */
function bits(half: u32, from: u32, count: u32, to: u32): u32 {
  return ((half >> from) & ((1 << count) - 1)) << to;
}

/** Sign-extends a value of `width` bits. */
function signed(value: u32, width: u32): u32 {
  return <u32>(<i32>(value << (32 - width)) >> (32 - width));
}

/** rd', rs2' at bits 4-2 and rs1' at bits 9-7: x8 to x15. */
function low3(half: u32): u32 {
  return 8 + ((half >> 2) & 7);
}

function high3(half: u32): u32 {
  return 8 + ((half >> 7) & 7);
}

function imm6(half: u32): u32 {
  return signed(bits(half, 2, 5, 0) | bits(half, 12, 1, 5), 6);
}

function shamt(half: u32): u32 {
  return bits(half, 2, 5, 0) | bits(half, 12, 1, 5);
}

function quadrant0(half: u32): u32 {
  const rd = low3(half);
  const base = high3(half);
  const word = bits(half, 6, 1, 2) | bits(half, 10, 3, 3) | bits(half, 5, 1, 6);
  const double = bits(half, 10, 3, 3) | bits(half, 5, 2, 6);
  const stack = bits(half, 6, 1, 2) | bits(half, 5, 1, 3) | bits(half, 11, 2, 4) | bits(half, 7, 4, 6);
  switch (half >> 13) {
    case 0: // c.addi4spn
      return stack == 0 ? 0 : typeI(0x13, 0, rd, 2, stack);
    case 1: // c.fld
      return typeI(0x07, 3, rd, base, double);
    case 2: // c.lw
      return typeI(0x03, 2, rd, base, word);
    case 3: // c.ld
      return typeI(0x03, 3, rd, base, double);
    case 5: // c.fsd
      return typeS(0x27, 3, base, rd, double);
    case 6: // c.sw
      return typeS(0x23, 2, base, rd, word);
    case 7: // c.sd
      return typeS(0x23, 3, base, rd, double);
    default:
      return 0;
  }
}

function quadrant1(half: u32): u32 {
  const rd = (half >> 7) & 31;
  const branch =
    bits(half, 3, 2, 1) | bits(half, 10, 2, 3) | bits(half, 2, 1, 5) | bits(half, 5, 2, 6) | bits(half, 12, 1, 8);
  switch (half >> 13) {
    case 0: // c.addi, c.nop
      return typeI(0x13, 0, rd, rd, imm6(half));
    case 1: // c.addiw
      return rd == 0 ? 0 : typeI(0x1b, 0, rd, rd, imm6(half));
    case 2: // c.li
      return typeI(0x13, 0, rd, 0, imm6(half));
    case 3:
      return rd == 2 ? addi16sp(half) : lui(half, rd);
    case 4:
      return arithmetic(half);
    case 5: // c.j
      return typeJ(0, jumpOffset(half));
    case 6: // c.beqz
      return typeB(0, high3(half), signed(branch, 9));
    default: // c.bnez
      return typeB(1, high3(half), signed(branch, 9));
  }
}

function addi16sp(half: u32): u32 {
  const imm =
    bits(half, 6, 1, 4) | bits(half, 2, 1, 5) | bits(half, 5, 1, 6) | bits(half, 3, 2, 7) | bits(half, 12, 1, 9);
  return imm == 0 ? 0 : typeI(0x13, 0, 2, 2, signed(imm, 10));
}

function lui(half: u32, rd: u32): u32 {
  const imm = imm6(half);
  return imm == 0 ? 0 : (imm << 12) | (rd << 7) | 0x37;
}

function jumpOffset(half: u32): u32 {
  const low = bits(half, 3, 3, 1) | bits(half, 11, 1, 4) | bits(half, 2, 1, 5) | bits(half, 7, 1, 6);
  const high = bits(half, 6, 1, 7) | bits(half, 9, 2, 8) | bits(half, 8, 1, 10) | bits(half, 12, 1, 11);
  return signed(low | high, 12);
}

function arithmetic(half: u32): u32 {
  const rd = high3(half);
  switch ((half >> 10) & 3) {
    case 0: // c.srli
      return typeI(0x13, 5, rd, rd, shamt(half));
    case 1: // c.srai
      return typeI(0x13, 5, rd, rd, shamt(half) | 0x400);
    case 2: // c.andi
      return typeI(0x13, 7, rd, rd, imm6(half));
    default:
      return registers(((half >> 10) & 4) | ((half >> 5) & 3), rd, low3(half));
  }
}

function registers(op: u32, rd: u32, rs2: u32): u32 {
  switch (op) {
    case 0: // c.sub
      return typeR(0x33, 0, 0x20, rd, rd, rs2);
    case 1: // c.xor
      return typeR(0x33, 4, 0, rd, rd, rs2);
    case 2: // c.or
      return typeR(0x33, 6, 0, rd, rd, rs2);
    case 3: // c.and
      return typeR(0x33, 7, 0, rd, rd, rs2);
    case 4: // c.subw
      return typeR(0x3b, 0, 0x20, rd, rd, rs2);
    case 5: // c.addw
      return typeR(0x3b, 0, 0, rd, rd, rs2);
    default:
      return 0;
  }
}

function quadrant2(half: u32): u32 {
  const rd = (half >> 7) & 31;
  const rs2 = (half >> 2) & 31;
  const loadWord = bits(half, 4, 3, 2) | bits(half, 12, 1, 5) | bits(half, 2, 2, 6);
  const loadDouble = bits(half, 5, 2, 3) | bits(half, 12, 1, 5) | bits(half, 2, 3, 6);
  const storeWord = bits(half, 9, 4, 2) | bits(half, 7, 2, 6);
  const storeDouble = bits(half, 10, 3, 3) | bits(half, 7, 3, 6);
  switch (half >> 13) {
    case 0: // c.slli
      return typeI(0x13, 1, rd, rd, shamt(half));
    case 1: // c.fldsp
      return typeI(0x07, 3, rd, 2, loadDouble);
    case 2: // c.lwsp
      return rd == 0 ? 0 : typeI(0x03, 2, rd, 2, loadWord);
    case 3: // c.ldsp
      return rd == 0 ? 0 : typeI(0x03, 3, rd, 2, loadDouble);
    case 4:
      return jumpOrMove((half >> 12) & 1, rd, rs2);
    case 5: // c.fsdsp
      return typeS(0x27, 3, 2, rs2, storeDouble);
    case 6: // c.swsp
      return typeS(0x23, 2, 2, rs2, storeWord);
    default: // c.sdsp
      return typeS(0x23, 3, 2, rs2, storeDouble);
  }
}

function jumpOrMove(link: u32, rd: u32, rs2: u32): u32 {
  if (rs2 != 0) return typeR(0x33, 0, 0, rd, link != 0 ? rd : 0, rs2); // c.add, c.mv
  if (rd != 0) return typeI(0x67, 0, link, rd, 0); // c.jalr, c.jr
  return link != 0 ? 0x00100073 : 0; // c.ebreak
}
