/**
 * Clears the entries of a range and gathers what they mapped.
 *
 * Promise    after the gather's flush no hart reads or writes a frame of the range through a translation made before.
 * Algorithm  for each leaf table: lock, swap each entry for 0, gather the frame, unlock; flush when the gather is full;
 *            the caller flushes at the end, and only then are they free.
 * Locks      mmapLock: write, with the VMAs detached (munmap); or read (DONTNEED, where the VMA lives on).
 *            Every leaf table of the range is locked, empty ones too: a fault that committed before our lock is found,
 *            one that commits after sees `detached`.
 * Guards     a marker is no frame: it goes with the mapping, and stays where the VMA lives on.
 * Missing tables   with `barrier`, each upper table of the range is locked and unlocked before it is read, so a fault
 *            that is installing a table has finished, or will see `detached` (walk.ts draws the race).
 * Linux: mm/memory.c:zap_pte_range.
 */
import { isCachedPage } from "./frame";
import { gatherFlush, gatherFull, gatherPage } from "./gather";
import { entryAt, entrySpan, isMarker, LEVELS, PTE_V, ptePhys } from "./pte";
import { isZeroFrame } from "./serve";
import { pgd } from "./space";
import { addUsedLocked, lockTable, unlockTable, usedLocked } from "./table";

/** What is zapped: every page; only pages of the object, and not the private copies made of them; guard markers too. */
export const ALL: u32 = 0;
export const CACHED_ONLY: u32 = 1;
export const WHOLE: u32 = 2;

/** Between the caller's gatherBegin() and gatherFlush(). */
export function zapRange(cpu: usize, start: u64, end: u64, barrier: bool, which: u32): void {
  zapUpper(cpu, pgd(cpu), LEVELS - 1, start, end, barrier, which);
}

/** The part of the range below an upper table. */
function zapUpper(cpu: usize, table: usize, level: u32, start: u64, end: u64, barrier: bool, which: u32): void {
  if (barrier) {
    lockTable(cpu, table);
    unlockTable(cpu, table);
  }
  const span = entrySpan(level);
  let va = start;
  while (va < end) {
    const next = (va & ~(span - 1)) + span;
    const upTo = next < end ? next : end;
    const entry = atomic.load<u64>(entryAt(table, va, level));
    if ((entry & PTE_V) != 0) {
      if (level == 1) zapLeaf(cpu, ptePhys(entry), va, upTo, which);
      else zapUpper(cpu, ptePhys(entry), level - 1, va, upTo, barrier, which);
    }
    va = next;
  }
}

function zapLeaf(cpu: usize, leaf: usize, start: u64, end: u64, which: u32): void {
  if (gatherFull(cpu)) gatherFlush(cpu);
  lockTable(cpu, leaf);
  let left = usedLocked(leaf);
  let cleared: i32 = 0;
  for (let va = start; va < end && left != 0; va += 4096) {
    const slot = entryAt(leaf, va, 0);
    const seen = atomic.load<u64>(slot);
    if (seen == 0 || (which != WHOLE && isMarker(seen))) continue;
    if (which == CACHED_ONLY && !isCachedPage(ptePhys(seen))) continue;
    const old = atomic.xchg<u64>(slot, 0);
    gatherPage(cpu, va, isZeroFrame(old) ? 0 : ptePhys(old));
    cleared++;
    left--;
  }
  addUsedLocked(leaf, -cleared);
  unlockTable(cpu, leaf);
}
