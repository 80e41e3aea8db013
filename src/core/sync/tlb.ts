/**
 * The software TLB of one CPU: private to it, filled by mm/fill.ts, emptied by the CPU itself when it takes a flush IPI.
 *
 *   data entry   {read:u64, write:u64, phys:u32, -} 32 bytes, index = page number & 255
 *   fetch entry  {exec:u64, phys:u32, -}            16 bytes, index = page number & 63
 *
 * A tag is the page's address, or all ones. An access of width w hits when (va & (PAGE_MASK | w-1)) equals the tag, so
 * that a misaligned access misses too. Fetches have a table of their own: a fill for data can not evict the page the
 * instruction itself comes from, or an instruction that starts again after each fill might never end.
 */
import { FETCH_PART, TLB_PART } from "./cpu";
import { PAGE_MASK, PAGE_SIZE } from "./layout";

export const TLB_ENTRIES: u32 = 256;
export const TLB_STRIDE: u32 = 32;
export const FETCH_ENTRIES: u32 = 64;
export const FETCH_STRIDE: u32 = 16;
export const T_READ: usize = 0;
export const T_WRITE: usize = 8;
export const T_PHYS: usize = 16;
export const F_EXEC: usize = 0;
export const F_PHYS: usize = 8;
const NO_TAG: u64 = 0xffff_ffff_ffff_ffff;

export function tlbEntry(cpu: usize, va: u64): usize {
  return cpu + TLB_PART + ((<usize>(va >> 12) & (TLB_ENTRIES - 1)) << 5);
}

export function fetchEntry(cpu: usize, va: u64): usize {
  return cpu + FETCH_PART + ((<usize>(va >> 12) & (FETCH_ENTRIES - 1)) << 4);
}

/** Enters a data translation. `writable` only when the entry is writable and dirty. */
export function tlbSet(cpu: usize, va: u64, phys: usize, readable: bool, writable: bool): void {
  const e = tlbEntry(cpu, va);
  const page = va & PAGE_MASK;
  store<u64>(e, readable ? page : NO_TAG, T_READ);
  store<u64>(e, writable ? page : NO_TAG, T_WRITE);
  store<u32>(e, <u32>phys, T_PHYS);
}

export function fetchSet(cpu: usize, va: u64, phys: usize): void {
  const e = fetchEntry(cpu, va);
  store<u64>(e, va & PAGE_MASK, F_EXEC);
  store<u32>(e, <u32>phys, F_PHYS);
}

/** Forgets everything: both tables set to all ones, which no page-aligned tag equals. */
export function tlbFlushAll(cpu: usize): void {
  memory.fill(cpu + TLB_PART, 0xff, TLB_ENTRIES * TLB_STRIDE);
  memory.fill(cpu + FETCH_PART, 0xff, FETCH_ENTRIES * FETCH_STRIDE);
}

/** Forgets [start, end). More pages than the table has entries cost one whole flush. */
export function tlbFlushRange(cpu: usize, start: u64, end: u64): void {
  if (end - start >= <u64>TLB_ENTRIES * PAGE_SIZE) {
    tlbFlushAll(cpu);
    return;
  }
  for (let va = start; va < end; va += PAGE_SIZE) {
    const e = tlbEntry(cpu, va);
    if (load<u64>(e, T_READ) == va) store<u64>(e, NO_TAG, T_READ);
    if (load<u64>(e, T_WRITE) == va) store<u64>(e, NO_TAG, T_WRITE);
    const f = fetchEntry(cpu, va);
    if (load<u64>(f, F_EXEC) == va) store<u64>(f, NO_TAG, F_EXEC);
  }
}
