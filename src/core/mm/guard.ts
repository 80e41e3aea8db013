/**
 * Guard pages: madvise(MADV_GUARD_INSTALL) and MADV_GUARD_REMOVE. A marker in the page table refuses every access to its page
 * though the VMA allows it; no VMA is split.
 *
 *   before   [ aaaa0a0 ]     install pages 1–5   →   [ aGGGGG0 ]     a: a frame  0: nothing  G: the marker
 *
 * Promise    after install no hart reads or writes a page of the range: what was there is gone. After remove the pages are empty
 *            and come anew. Markers go with munmap, move with mremap, and stay over DONTNEED, mprotect and fork.
 * Algorithm  install: for each leaf table of the range, which is made if it is missing: lock, swap every entry for the marker, gather
 *            the frame, unlock; the flush, then the frames are free. remove: swap markers for 0.
 * Race       | fault                        | install
 *            | entry reads 0                | lock leaf; 0 → marker; unlock
 *            | lock leaf; not as read: retry, finds the marker
 *            The other way round install finds the frame and gathers it.
 * Locks      mmapLock (read) by the caller, one leaf table
 * Linux      mm/madvise.c:madvise_guard_install, madvise_guard_remove
 */
import { Errno } from "../abi/errno";
import { gatherFlush, gatherFull, gatherPage } from "./gather";
import { Outcome } from "./outcome";
import { entryAt, isMarker, PTE_GUARD, ptePhys } from "./pte";
import { isZeroFrame } from "./serve";
import { addUsedLocked, lockTable, unlockTable } from "./table";
import { ensureTables, walkLeaf } from "./walk";

const SPAN: u64 = 0x20_0000;

/** Between the caller's gatherBegin() and gatherFlush(). 0, or -ENOMEM when no table is to be had: what came before is done. */
export function installGuards(cpu: usize, vma: usize, start: u64, end: u64): i32 {
  for (let va = start; va < end; va = endOfTable(va, end)) {
    if (ensureTables(cpu, vma, va) != <u32>Outcome.Done) return -Errno.ENOMEM;
    if (gatherFull(cpu)) gatherFlush(cpu);
    installLeaf(cpu, walkLeaf(cpu, va), va, endOfTable(va, end));
  }
  return 0;
}

export function removeGuards(cpu: usize, start: u64, end: u64): void {
  for (let va = start; va < end; va = endOfTable(va, end)) {
    const leaf = walkLeaf(cpu, va);
    if (leaf != 0) removeLeaf(cpu, leaf, va, endOfTable(va, end));
  }
}

function endOfTable(va: u64, end: u64): u64 {
  const next = (va & ~(SPAN - 1)) + SPAN;
  return next < end ? next : end;
}

function installLeaf(cpu: usize, leaf: usize, start: u64, end: u64): void {
  lockTable(cpu, leaf);
  let added: i32 = 0;
  for (let va = start; va < end; va += 4096) {
    const old = atomic.xchg<u64>(entryAt(leaf, va, 0), PTE_GUARD);
    if (old == 0) added++;
    else if (!isMarker(old)) gatherPage(cpu, va, isZeroFrame(old) ? 0 : ptePhys(old));
  }
  addUsedLocked(leaf, added);
  unlockTable(cpu, leaf);
}

/** An entry that was a marker is one still under the lock: harts leave it alone. */
function removeLeaf(cpu: usize, leaf: usize, start: u64, end: u64): void {
  lockTable(cpu, leaf);
  let removed: i32 = 0;
  for (let va = start; va < end; va += 4096) {
    const slot = entryAt(leaf, va, 0);
    if (!isMarker(atomic.load<u64>(slot))) continue;
    atomic.store<u64>(slot, 0);
    removed++;
  }
  addUsedLocked(leaf, -removed);
  unlockTable(cpu, leaf);
}
