/** hart/muldiv.ts: the M extension, less MUL and MULW, which run.ts does in place.
 *
 *  Promise     no trap: division by 0 gives all ones and the dividend as remainder; the one overflow, most negative
 *              by -1, gives the dividend and remainder 0. wasm traps on both, so both are asked for first.
 *  Spec        RISC-V unprivileged ISA, chapter "M", table "Semantics for division by zero and division overflow"   */
import { funct3, Next, rs1, rs1w, rs2, rs2w, setRd, setRdw } from "./decode";
import { illegal } from "./trap";

const LOW: u64 = 0xffff_ffff;

/** The upper 64 bits of the unsigned product, from four products of halves (Knuth, Algorithm M). */
export function mulHighU(a: u64, b: u64): u64 {
  const al = a & LOW;
  const ah = a >> 32;
  const bl = b & LOW;
  const bh = b >> 32;
  const t = ah * bl + ((al * bl) >> 32);
  const u = al * bh + (t & LOW);
  return ah * bh + (t >> 32) + (u >> 32);
}

/** What a negative factor, read as unsigned, added too much to the upper half. */
function excess(signed: u64, other: u64): u64 {
  return <u64>(<i64>signed >> 63) & other;
}

export function mulDiv(cpu: usize, insn: u32): i32 {
  const a = rs1(cpu, insn);
  const b = rs2(cpu, insn);
  setRd(cpu, insn, mulDiv64(funct3(insn), a, b));
  return Next.Done;
}

function mulDiv64(f3: u32, a: u64, b: u64): u64 {
  switch (f3) {
    case 1:
      return mulHighU(a, b) - excess(a, b) - excess(b, a);
    case 2:
      return mulHighU(a, b) - excess(a, b);
    case 3:
      return mulHighU(a, b);
    case 4:
      if (b == 0) return u64.MAX_VALUE;
      return b == u64.MAX_VALUE ? 0 - a : <u64>(<i64>a / <i64>b);
    case 5:
      return b == 0 ? u64.MAX_VALUE : a / b;
    case 6:
      if (b == 0) return a;
      return b == u64.MAX_VALUE ? 0 : <u64>(<i64>a % <i64>b);
    case 7:
      return b == 0 ? a : a % b;
    default:
      return a * b;
  }
}

export function mulDivW(cpu: usize, insn: u32): i32 {
  const a = rs1w(cpu, insn);
  const b = rs2w(cpu, insn);
  let r: u32 = 0;
  switch (funct3(insn)) {
    case 4:
      if (b == 0) r = u32.MAX_VALUE;
      else r = b == u32.MAX_VALUE ? 0 - a : <u32>(<i32>a / <i32>b);
      break;
    case 5:
      r = b == 0 ? u32.MAX_VALUE : a / b;
      break;
    case 6:
      if (b == 0) r = a;
      else r = b == u32.MAX_VALUE ? 0 : <u32>(<i32>a % <i32>b);
      break;
    case 7:
      r = b == 0 ? a : a % b;
      break;
    default:
      return illegal(cpu, insn);
  }
  setRdw(cpu, insn, r);
  return Next.Done;
}
