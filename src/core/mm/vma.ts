/**
 * A VMA: one mapping, [start, end). Immutable once published: a change replaces it.
 *
 *    0        12       16      24     32      36       40       48
 *   ┌────────┬────────┬───────┬──────┬───────┬────────┬────────┬──────┐
 *   │rcu head│detached│ start │ end  │ flags │ object │ offset │record│
 *   └────────┴────────┴───────┴──────┴───────┴────────┴────────┴──────┘
 *   detached  u32 atomic. 0 while the tree that anyone can find leads here; set once, after the new root is published.
 *             write: mmapLock (write).  exact: under a page-table lock of the range, or mmapLock.
 *             peek: nobody acts on it elsewhere.
 *   rest      immutable, published by the tree's root
 *   flags     Prot bits | VM_SHARED | VM_GROWSDOWN | VM_NORESERVE
 *   object    id of the mapped file, 0 = anonymous; record: its reference count (object.ts), used under mmapLock (write)
 *   offset    file offset of `start`, bytes
 * Linux: compare struct vm_area_struct, include/linux/mm_types.h.
 */
import { Access } from "../abi/exit";
import { MapFlag, Prot } from "../abi/mman";
import { SLAB_VMA, slabAlloc } from "./slab";

export const VMA_BYTES: u32 = 64;
export const V_DETACHED: usize = 12;
export const V_START: usize = 16;
export const V_END: usize = 24;
export const V_FLAGS: usize = 32;
export const V_OBJECT: usize = 36;
export const V_OFFSET: usize = 40;
export const V_RECORD: usize = 48;

export const PROT_MASK: u32 = 7;
/** Flags a VMA keeps beside its protection; neighbours merge only when all agree. */
export const VM_SHARED: u32 = 8;
export const VM_GROWSDOWN: u32 = MapFlag.GrowsDown;
export const VM_NORESERVE: u32 = MapFlag.NoReserve;

export function vmaStart(vma: usize): u64 {
  return load<u64>(vma, V_START);
}

export function vmaEnd(vma: usize): u64 {
  return load<u64>(vma, V_END);
}

export function vmaFlags(vma: usize): u32 {
  return load<u32>(vma, V_FLAGS);
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
  return vma;
}

/** The part [start, end) of `vma`, with `flags`. */
export function cutVma(cpu: usize, vma: usize, start: u64, end: u64, flags: u32): usize {
  const offset = load<u64>(vma, V_OFFSET) + (start - vmaStart(vma));
  return newVma(cpu, start, end, flags, load<u32>(vma, V_OBJECT), offset, <usize>load<u32>(vma, V_RECORD));
}

/** Whether `left` and `right`, which touch, can be one VMA; the right one is given by its parts. */
export function mergeable(left: usize, flags: u32, object: u32, offset: u64): bool {
  if (vmaFlags(left) != flags || load<u32>(left, V_OBJECT) != object) return false;
  if (object == 0) return true;
  return load<u64>(left, V_OFFSET) + (vmaEnd(left) - vmaStart(left)) == offset;
}

/** Whether the protection allows the access. Linux: arch/riscv/mm/fault.c:access_error (write implies read). */
export function vmaAllows(vma: usize, access: u32): bool {
  const flags = vmaFlags(vma);
  if (access == Access.Write) return (flags & Prot.Write) != 0;
  if (access == Access.Exec) return (flags & Prot.Exec) != 0;
  return (flags & (Prot.Read | Prot.Write)) != 0;
}
