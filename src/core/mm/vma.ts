/**
 * A VMA: one mapping, [start, end). Immutable once published: a change replaces it.
 *
 *    0        12       16      24     32      36       40       48     52   56   60      64    68      72      76   80
 *   ┌────────┬────────┬───────┬──────┬───────┬────────┬────────┬──────┬────┬────┬───────┬─────┬───────┬───────┬────┬───┐
 *   │rcu head│detached│ start │ end  │ flags │ object │ offset │record│anon│lock│lockSeq│space│mapNext│mapPrev│name│ - │ 128
 *   └────────┴────────┴───────┴──────┴───────┴────────┴────────┴──────┴────┴────┴───────┴─────┴───────┴───────┴────┴───┘
 *   detached  u32 atomic. 0 while the tree that anyone can find leads here; set once, after the new root is published.
 *             write: mmapLock (write).  exact: under a page-table lock of the range, or mmapLock.
 *             peek: nobody acts on it elsewhere.
 *   anon      u32 atomic. 1 once a private page may have been written here: stands for Linux's anon_vma, which a fault makes
 *             under mmapLock (read) and speculative faults and VMA locks do without. A split copies it, a merge joins it.
 *             Only policies spf and vma-lock read it.
 *   lock, lockSeq   u32 atomic. vmaLock.ts
 *   rest      immutable, published by the tree's root
 *   space     the address space it belongs to
 *   mapNext, mapPrev   u32. its place among the mappings of its object, under that object's MAPS lock (object.ts)
 *   name      record of the name that prctl(PR_SET_VMA_ANON_NAME) gave, or 0
 *   flags     Prot bits | VM_…
 *   object    id of the mapped file, 0 = anonymous; record: the object (object.ts), of shared anonymous memory too; 0 = none
 *   offset    file offset of `start`, bytes
 * Linux: compare struct vm_area_struct, include/linux/mm_types.h.
 */
import { Access } from "../abi/exit";
import { MapFlag, Prot } from "../abi/mman";
import { sameName } from "./name";
import { SLAB_VMA, slabAlloc } from "./slab";
import { spaceOf } from "./space";
import { initVmaLock } from "./vmaLock";

export const VMA_BYTES: u32 = 128;
export const V_DETACHED: usize = 12;
export const V_START: usize = 16;
export const V_END: usize = 24;
export const V_FLAGS: usize = 32;
export const V_OBJECT: usize = 36;
export const V_OFFSET: usize = 40;
export const V_RECORD: usize = 48;
export const V_ANON: usize = 52;
export const V_LOCK: usize = 56;
export const V_LOCK_SEQ: usize = 60;
export const V_SPACE: usize = 64;
export const V_MAP_NEXT: usize = 68;
export const V_MAP_PREV: usize = 72;
export const V_NAME: usize = 76;

export const PROT_MASK: u32 = 7;
/** Flags a VMA keeps beside its protection; neighbours merge only when all agree. */
export const VM_SHARED: u32 = 8;
export const VM_GROWSDOWN: u32 = MapFlag.GrowsDown;
export const VM_NORESERVE: u32 = MapFlag.NoReserve;
/** mlock: pages are brought in and kept; with VM_LOCKONFAULT they are only kept. */
export const VM_LOCKED: u32 = MapFlag.Locked;
export const VM_LOCKONFAULT: u32 = 0x10;
/** madvise: not inherited by fork (DONTFORK); empty in the child (WIPEONFORK). */
export const VM_DONTCOPY: u32 = 0x20;
export const VM_WIPEONFORK: u32 = 0x40;
/** A shared mapping of a file that was opened read-only: mprotect may not make it writable. */
export const VM_NOWRITE: u32 = 0x80;
/** madvise: RANDOM (no fault-around), SEQUENTIAL. */
export const VM_RAND_READ: u32 = 0x200;
export const VM_SEQ_READ: u32 = 0x400;
/** Counted against the memory there is: private and writable, or shared anonymous, and not NORESERVE. */
export const VM_ACCOUNT: u32 = 0x800;
/** madvise: left out of a core dump. */
export const VM_DONTDUMP: u32 = 0x1000;
/** MAP_DROPPABLE: not locked, not inherited. */
export const VM_DROPPABLE: u32 = 0x8000;

export function vmaStart(vma: usize): u64 {
  return load<u64>(vma, V_START);
}

export function vmaEnd(vma: usize): u64 {
  return load<u64>(vma, V_END);
}

export function vmaFlags(vma: usize): u32 {
  return load<u32>(vma, V_FLAGS);
}

/** The page of its object that va is. */
export function pageIndex(vma: usize, va: u64): u32 {
  return <u32>((load<u64>(vma, V_OFFSET) + (va - vmaStart(vma))) >> 12);
}

export function isDetached(vma: usize): bool {
  return atomic.load<u32>(vma, V_DETACHED) != 0;
}

/** A new VMA over [start, end) that takes everything else from the arguments; 0 when out of memory. Not yet published. */
export function newVma(cpu: usize, start: u64, end: u64, flags: u32, object: u32, offset: u64, record: usize): usize {
  const vma = slabAlloc(cpu, SLAB_VMA);
  if (vma == 0) return 0;
  store<u64>(vma, start, V_START);
  store<u64>(vma, end, V_END);
  store<u32>(vma, flags, V_FLAGS);
  store<u32>(vma, object, V_OBJECT);
  store<u64>(vma, offset, V_OFFSET);
  store<u32>(vma, <u32>record, V_RECORD);
  store<u32>(vma, <u32>spaceOf(cpu), V_SPACE);
  atomic.store<u32>(vma, 0, V_ANON);
  initVmaLock(cpu, vma);
  return vma;
}

/** The part [start, end) of `vma`, with `flags`. */
export function cutVma(cpu: usize, vma: usize, start: u64, end: u64, flags: u32): usize {
  const offset = load<u64>(vma, V_OFFSET) + (start - vmaStart(vma));
  const part = newVma(cpu, start, end, flags, load<u32>(vma, V_OBJECT), offset, <usize>load<u32>(vma, V_RECORD));
  if (part == 0) return 0;
  store<u32>(part, load<u32>(vma, V_NAME), V_NAME);
  joinAnon(part, vma);
  return part;
}

export function isAnonPrepared(vma: usize): bool {
  return atomic.load<u32>(vma, V_ANON) != 0;
}

/** Linux: mm/rmap.c:__anon_vma_prepare, on the first write; mmapLock held for reading. */
export function prepareAnon(vma: usize): void {
  atomic.store<u32>(vma, 1, V_ANON);
}

/** A new VMA takes the pages of `old` over. mmapLock (write). */
export function joinAnon(vma: usize, old: usize): void {
  if (isAnonPrepared(old)) prepareAnon(vma);
}

export function vmaName(vma: usize): usize {
  return <usize>load<u32>(vma, V_NAME);
}

/** Whether a VMA of these parts, which `left` ends at, can be one with it. */
export function joinsLeft(left: usize, flags: u32, object: u32, offset: u64, name: usize): bool {
  return isAlike(left, flags, object, name) && (object == 0 || vmaEndOffset(left) == offset);
}

/** Whether a VMA of these parts, which ends at `offset` where `right` starts, can be one with it. */
export function joinsRight(right: usize, flags: u32, object: u32, offset: u64, name: usize): bool {
  return isAlike(right, flags, object, name) && (object == 0 || load<u64>(right, V_OFFSET) == offset);
}

function isAlike(vma: usize, flags: u32, object: u32, name: usize): bool {
  return vmaFlags(vma) == flags && load<u32>(vma, V_OBJECT) == object && sameName(vmaName(vma), name);
}

/** File offset of the VMA's end. */
export function vmaEndOffset(vma: usize): u64 {
  return load<u64>(vma, V_OFFSET) + (vmaEnd(vma) - vmaStart(vma));
}

/** Whether the protection allows the access. Linux: arch/riscv/mm/fault.c:access_error (write implies read). */
export function vmaAllows(vma: usize, access: u32): bool {
  return flagsAllow(vmaFlags(vma), access);
}

export function flagsAllow(flags: u32, access: u32): bool {
  if (access == Access.Write) return (flags & Prot.Write) != 0;
  if (access == Access.Exec) return (flags & Prot.Exec) != 0;
  return (flags & (Prot.Read | Prot.Write)) != 0;
}
