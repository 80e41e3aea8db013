/**
 * Page-table entries: Sv39 (RISC-V privileged specification, 4.4), plus one software bit.
 *
 *   63..54 0 │ 53..10 physical page number │ 9..8 software │ 7 D │ 6 A │ 5 G │ 4 U │ 3 X │ 2 W │ 1 R │ 0 V
 *
 *   V=1, R=W=X=0   a pointer to the next level
 *   V=0, HELD=1    a frame is there but no access is allowed (PROT_NONE), as Linux's _PAGE_PROT_NONE
 *   V=0, GUARD=1   no frame: an access is refused though the VMA allows it (madvise(MADV_GUARD_INSTALL))
 *   0              nothing
 *
 * Entries change by compare-and-swap, swap, and, or: a hart sets A and D at any moment (fill.ts).
 */

import { Access } from "../abi/exit";
import { Prot } from "../abi/mman";

export const LEVELS: u32 = 3;
export const ENTRIES: u32 = 512;
/** One past the highest user address: 256 GiB (Linux: TASK_SIZE for Sv39). */
export const TASK_SIZE: u64 = (<u64>1) << 38;

export const PTE_V: u64 = 1;
export const PTE_R: u64 = 2;
export const PTE_W: u64 = 4;
export const PTE_X: u64 = 8;
export const PTE_U: u64 = 16;
export const PTE_A: u64 = 64;
export const PTE_D: u64 = 128;
export const PTE_HELD: u64 = 256;
/** The marker of a guard page; the rest of the entry is 0. */
export const PTE_GUARD: u64 = 512;
export const PTE_RIGHTS: u64 = PTE_V | PTE_R | PTE_W | PTE_X | PTE_HELD;

/** An entry that stands for no frame. */
export function isMarker(entry: u64): bool {
  return entry == PTE_GUARD;
}

export function ptePhys(entry: u64): usize {
  return <usize>((entry >> 10) << 12);
}

export function makeEntry(phys: usize, bits: u64): u64 {
  return ((<u64>phys >> 12) << 10) | PTE_U | bits;
}

export function tablePointer(phys: usize): u64 {
  return ((<u64>phys >> 12) << 10) | PTE_V;
}

/** Address of the entry for `va` in a table of `level` (0 = leaf). */
export function entryAt(table: usize, va: u64, level: u32): usize {
  return table + ((<usize>(va >> (12 + 9 * <u64>level)) & (ENTRIES - 1)) << 3);
}

/** Bytes that one entry of a table of `level` spans. */
export function entrySpan(level: u32): u64 {
  return (<u64>4096) << (9 * <u64>level);
}

/** Rights bits for a protection. Write implies read (4.3.1: W without R is reserved). */
export function rightsOf(prot: u32): u64 {
  let bits: u64 = 0;
  if ((prot & (Prot.Read | Prot.Write)) != 0) bits |= PTE_R;
  if ((prot & Prot.Write) != 0) bits |= PTE_W;
  if ((prot & Prot.Exec) != 0) bits |= PTE_X;
  return bits == 0 ? PTE_HELD : bits | PTE_V;
}

/** The right that an access needs. */
export function rightFor(access: u32): u64 {
  return access == Access.Write ? PTE_W : access == Access.Exec ? PTE_X : PTE_R;
}

export function allows(entry: u64, access: u32): bool {
  return (entry & PTE_V) != 0 && (entry & rightFor(access)) != 0;
}
