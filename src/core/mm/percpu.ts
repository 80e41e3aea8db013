/**
 * The memory manager's part of a CPU's area (offset 1024), all private to the CPU except the free list's lock:
 *
 *   free list    head, count, and a stack of bundles {head, frames}   under FREE_LOCK: the owner, or a CPU that found no
 *                frame anywhere else
 *   gather       count, tables, range   frames and tables whose shootdown is still to come (gather.ts)
 *   gathering    1 while that list is not empty: an atomic store, for who peeks (reclaim.ts)
 *   file request object, offset, address of the page that is to come in; while the host reads or writes, the object held
 *                and its writes as of the start (pageIn.ts, writeback.ts)
 *   speculation  what spf copied of the VMA, and the parent's entry it came through (faultSpf.ts)
 *   no block     1 when this CPU found no run of frames for a block of tables: what reclaim() is to find
 *   found        the VMA that was looked up last, and the change of the tree it was looked up after (lookup.ts)
 *   kernel       1 while a system call copies: a fault on the kernel's side, which spf and vma-lock do not try
 *   trace        a ring of records of what the CPU did, 0 = none; and the counters as its fault began (trace.ts)
 *   counters     u64 × Counter.Count, in the counter part
 */
import { COUNTER_PART, MM_PART } from "../sync/cpu";

export const P_FREE_LOCK: usize = MM_PART;
export const P_FREE_HEAD: usize = MM_PART + 4;
export const P_FREE_COUNT: usize = MM_PART + 8;
export const P_GATHER_COUNT: usize = MM_PART + 12;
export const P_GATHER_START: usize = MM_PART + 16;
export const P_GATHER_END: usize = MM_PART + 24;
export const P_IO_OBJECT: usize = MM_PART + 32;
export const P_IO_OFFSET: usize = MM_PART + 40;
export const P_IO_ADDRESS: usize = MM_PART + 48;
export const P_COPY_FLAGS: usize = MM_PART + 56;
export const P_COPY_ANON: usize = MM_PART + 60;
export const P_LEAF_ENTRY: usize = MM_PART + 64;
export const P_LEAF_SLOT: usize = MM_PART + 72;
export const P_KERNEL: usize = MM_PART + 76;
export const P_GATHER_TABLES: usize = MM_PART + 80;
export const P_NO_BLOCK: usize = MM_PART + 84;
export const P_GATHERING: usize = MM_PART + 104;
export const P_BUNDLES: usize = MM_PART + 96;
export const P_BUNDLED: usize = MM_PART + 100;
export const P_FOUND_VMA: usize = MM_PART + 88;
export const P_FOUND_CHANGE: usize = MM_PART + 92;
export const P_IO_RECORD: usize = MM_PART + 108;
export const P_IO_WRITES: usize = MM_PART + 112;
/** What spf copied of the VMA of a file (faultSpfFile.ts). */
export const P_COPY_RECORD: usize = MM_PART + 128;
export const P_COPY_INDEX: usize = MM_PART + 132;
export const P_COPY_START: usize = MM_PART + 136;
export const P_COPY_END: usize = MM_PART + 144;
/** Where in its object a futex is (futexKey.ts). */
export const P_KEY_OFFSET: usize = MM_PART + 120;
/** The trace's ring (trace.ts). */
export const P_TRACE: usize = MM_PART + 152;
export const P_TRACE_MASK: usize = MM_PART + 156;
export const P_TRACE_COUNT: usize = MM_PART + 160;
export const P_TRACE_SEEN: usize = MM_PART + 168;

export function count(cpu: usize, what: u32): void {
  const c = cpu + COUNTER_PART + ((<usize>what) << 3);
  store<u64>(c, load<u64>(c) + 1);
}

export function countBy(cpu: usize, what: u32, n: u64): void {
  const c = cpu + COUNTER_PART + ((<usize>what) << 3);
  store<u64>(c, load<u64>(c) + n);
}

export function countMax(cpu: usize, what: u32, n: u64): void {
  const c = cpu + COUNTER_PART + ((<usize>what) << 3);
  if (load<u64>(c) < n) store<u64>(c, n);
}

/** One counter of abi/counter.ts. Exact when read by its CPU; a moment old from elsewhere. */
export function counter(cpu: usize, what: u32): u64 {
  return load<u64>(cpu + COUNTER_PART + ((<usize>what) << 3));
}
