/** hart/fp-op.ts: what an OP-FP instruction does, by bits 31-27 (RISC-V unprivileged ISA, chapter "F"). */
export enum FpOp {
  Add = 0x00,
  Sub = 0x01,
  Mul = 0x02,
  Div = 0x03,
  Sign = 0x04,
  MinMax = 0x05,
  /** Between single and double: rs2 names the source's precision. */
  Convert = 0x08,
  Sqrt = 0x0b,
  Compare = 0x14,
  /** rs2: 0 w, 1 wu, 2 l, 3 lu. */
  ToInt = 0x18,
  FromInt = 0x1a,
  /** To an integer register: funct3 0 moves the bits, 1 classifies. */
  MoveOut = 0x1c,
  MoveIn = 0x1e,
}
