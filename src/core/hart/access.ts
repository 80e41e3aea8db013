/** hart/access.ts: guest loads and stores: the hit's arithmetic, and what happens on a miss.
 *
 *  The hit     (run.ts) compares one tag; the tag test fails for a misaligned access too (sync/tlb.ts)
 *  The miss    1 inside one page: hit by page → a plain unaligned access, else fill and start again
 *              2 across two pages: each half that misses is filled and the instruction starts again; once both
 *                hit with no slow path between, the bytes are moved one at a time
 *  Progress    the two pages of a crossing access are neighbours and so in different TLB slots: a fill of one never
 *              evicts the other, and the instruction's own page is in the fetch TLB
 *  Promise     nothing is touched unless all of the access can be; no address survives a fill (design protocol 6)
 *  Races       guest accesses are plain: they race only with each other, which is the guest's affair               */
import { Access } from "../abi/exit";
import { fill } from "../mm/fill";
import { TLB_PART } from "../sync/cpu";
import { PAGE_MASK, PAGE_SIZE } from "../sync/layout";
import { T_PHYS, T_READ, T_WRITE } from "../sync/tlb";
import { frs2, funct3, immI, immS, Next, Row, rowOf, rs1, rs2, setFrd, setRd } from "./decode";

const OFFSET: u64 = 0xfff;

/** Where the entry of va's page lies, less TLB_PART: 32 bytes for each of 256 page numbers. */
export function slot(cpu: usize, va: u64): usize {
  return cpu + (<usize>(va >> 7) & 0x1fe0);
}

export function readTag(slot: usize): u64 {
  return load<u64>(slot, TLB_PART + T_READ);
}

export function writeTag(slot: usize): u64 {
  return load<u64>(slot, TLB_PART + T_WRITE);
}

/** The physical address of va, once its tag was found. */
export function host(slot: usize, va: u64): usize {
  return <usize>load<u32>(slot, TLB_PART + T_PHYS) + (<usize>va & <usize>OFFSET);
}

/** Asks for va's page: an Exit, or the instruction starts again. */
export function fillAndRestart(cpu: usize, va: u64, access: u32): i32 {
  const exit = fill(cpu, va, access);
  return exit == 0 ? Next.Restart : exit;
}

function readable(cpu: usize, va: u64): bool {
  return readTag(slot(cpu, va)) == (va & PAGE_MASK);
}

function writable(cpu: usize, va: u64): bool {
  return writeTag(slot(cpu, va)) == (va & PAGE_MASK);
}

function crosses(va: u64, bytes: u32): bool {
  return (va & OFFSET) + bytes > PAGE_SIZE;
}

/** A load that missed: integer or floating, as the instruction says. */
export function loadSlow(cpu: usize, insn: u32): i32 {
  const va = rs1(cpu, insn) + immI(insn);
  const bytes: u32 = 1 << (funct3(insn) & 3);
  if (!readable(cpu, va)) return fillAndRestart(cpu, va, Access.Read);
  let raw: u64 = 0;
  if (crosses(va, bytes)) {
    const last = va + bytes - 1;
    if (!readable(cpu, last)) return fillAndRestart(cpu, last & PAGE_MASK, Access.Read);
    for (let i: u32 = 0; i < bytes; i++) {
      raw |= (<u64>load<u8>(host(slot(cpu, va + i), va + i))) << (i << 3);
    }
  } else {
    raw = loadBytes(host(slot(cpu, va), va), bytes);
  }
  finishLoad(cpu, insn, raw);
  return Next.Done;
}

function loadBytes(at: usize, bytes: u32): u64 {
  if (bytes == 8) return load<u64>(at);
  if (bytes == 4) return load<u32>(at);
  return bytes == 2 ? load<u16>(at) : load<u8>(at);
}

/** Extends the bytes loaded and writes the register. */
function finishLoad(cpu: usize, insn: u32, raw: u64): void {
  switch (rowOf(insn)) {
    case Row.LoadFp | 2:
      setFrd(cpu, insn, raw | 0xffff_ffff_0000_0000);
      break;
    case Row.LoadFp | 3:
      setFrd(cpu, insn, raw);
      break;
    case Row.Load | 0:
      setRd(cpu, insn, <u64>(<i64>(<i8>raw)));
      break;
    case Row.Load | 1:
      setRd(cpu, insn, <u64>(<i64>(<i16>raw)));
      break;
    case Row.Load | 2:
      setRd(cpu, insn, <u64>(<i64>(<i32>raw)));
      break;
    default:
      setRd(cpu, insn, raw);
  }
}

/** A store that missed. */
export function storeSlow(cpu: usize, insn: u32): i32 {
  const va = rs1(cpu, insn) + immS(insn);
  const bytes: u32 = 1 << (funct3(insn) & 3);
  if (!writable(cpu, va)) return fillAndRestart(cpu, va, Access.Write);
  const value = (rowOf(insn) & 0xf8) == Row.StoreFp ? frs2(cpu, insn) : rs2(cpu, insn);
  if (crosses(va, bytes)) {
    const last = va + bytes - 1;
    if (!writable(cpu, last)) return fillAndRestart(cpu, last & PAGE_MASK, Access.Write);
    for (let i: u32 = 0; i < bytes; i++) {
      store<u8>(host(slot(cpu, va + i), va + i), <u8>(value >> (i << 3)));
    }
  } else {
    storeBytes(host(slot(cpu, va), va), bytes, value);
  }
  return Next.Done;
}

function storeBytes(at: usize, bytes: u32, value: u64): void {
  if (bytes == 8) store<u64>(at, value);
  else if (bytes == 4) store<u32>(at, <u32>value);
  else if (bytes == 2) store<u16>(at, <u16>value);
  else store<u8>(at, <u8>value);
}
