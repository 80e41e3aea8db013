/** A handful of riscv64 encodings by name, for tests that need exactly these words. Registers are numbers. */

const r = (funct7: number, rs2: number, rs1: number, funct3: number, rd: number, opcode: number): number =>
  ((funct7 << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode) >>> 0;
const i = (imm: number, rs1: number, funct3: number, rd: number, opcode: number): number =>
  ((imm << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode) >>> 0;
const s = (imm: number, rs2: number, rs1: number, funct3: number): number =>
  r(imm >> 5, rs2, rs1, funct3, imm & 31, 0x23);
const b = (offset: number, rs2: number, rs1: number, funct3: number): number => {
  const high = (((offset >> 12) & 1) << 6) | ((offset >> 5) & 63);
  const low = (((offset >> 1) & 15) << 1) | ((offset >> 11) & 1);
  return r(high & 127, rs2, rs1, funct3, low, 0x63);
};

export const addi = (rd: number, rs1: number, imm: number): number => i(imm, rs1, 0, rd, 0x13);
export const ld = (rd: number, rs1: number, imm: number): number => i(imm, rs1, 3, rd, 0x03);
export const lw = (rd: number, rs1: number, imm: number): number => i(imm, rs1, 2, rd, 0x03);
export const sd = (rs2: number, rs1: number, imm: number): number => s(imm, rs2, rs1, 3);
export const sw = (rs2: number, rs1: number, imm: number): number => s(imm, rs2, rs1, 2);
export const bne = (rs1: number, rs2: number, offset: number): number => b(offset, rs2, rs1, 1);
export const jalr = (rd: number, rs1: number): number => i(0, rs1, 0, rd, 0x67);
export const jal = (rd: number, offset: number): number => {
  const bits = (((offset >> 20) & 1) << 19) | (((offset >> 1) & 1023) << 9) | (((offset >> 11) & 1) << 8);
  return (((bits | ((offset >> 12) & 255)) << 12) | (rd << 7) | 0x6f) >>> 0;
};
export const lrD = (rd: number, rs1: number): number => r(2 << 2, 0, rs1, 3, rd, 0x2f);
export const scD = (rd: number, rs2: number, rs1: number): number => r(3 << 2, rs2, rs1, 3, rd, 0x2f);
export const amoaddD = (rd: number, rs2: number, rs1: number): number => r(0, rs2, rs1, 3, rd, 0x2f);
export const ecall = 0x73;
export const ebreak = 0x100073;
export const fenceI = 0x100f;
/** c.ebreak and c.nop, two bytes each. */
export const cEbreak = 0x9002;
export const cNop = 0x0001;

/** Little-endian bytes: a word above 0xffff or with both low bits set takes four, any other two. */
export function assemble(...words: number[]): Uint8Array {
  const bytes: number[] = [];
  for (const word of words) {
    const length = (word & 3) === 3 ? 4 : 2;
    for (let n = 0; n < length; n++) bytes.push((word >>> (8 * n)) & 255);
  }
  return Uint8Array.from(bytes);
}
