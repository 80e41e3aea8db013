/**
 * Commit: the words by which a fault publishes an entry (design protocol 1).
 *
 *   lockIfStill(leaf, vma, va, seen)   locks the leaf table and re-checks, under the lock, all the fault relied on
 *   publishLocked(leaf, slot, seen, entry)   the entry itself, by compare-and-swap
 *
 * Why it is right   whoever removes a mapping sets `detached`, then takes every table lock of the range. If our critical
 *   section is first, the remover finds our entry and zaps it. If the remover was first, its store of `detached` is
 *   visible through the lock, and we see it. A table is marked dead under its lock, so a dead table is never written.
 *   `seen` differs if another CPU served the page. No operation here changes entries of a live VMA in a way that all
 *   three checks miss: DONTNEED leaves 0, where a fresh frame is right; a permission change detaches the VMA.
 *   While fork copies the space nothing is committed without mmapLock (fork.ts: Order).
 */

import { Outcome } from "./outcome";
import { entryAt } from "./pte";
import { S_COPYING, spaceOf } from "./space";
import { addUsedLocked, unlockTable } from "./table";
import { isDetached } from "./vma";
import { lockWalked } from "./walk";

/** Locks `leaf`, found on the way to va, and returns Done, or returns why not, unlocked. */
export function lockIfStill(cpu: usize, leaf: usize, vma: usize, va: u64, seen: u64): u32 {
  if (!lockWalked(cpu, leaf, va, 0)) return Outcome.RetryDead;
  let outcome: u32 = Outcome.Done;
  if (isDetached(vma)) outcome = Outcome.RetryDetached;
  else if (atomic.load<u64>(entryAt(leaf, va, 0)) != seen) outcome = Outcome.RetryEntry;
  else if (atomic.load<u32>(spaceOf(cpu), S_COPYING) != 0) outcome = Outcome.Fallback;
  if (outcome != Outcome.Done) unlockTable(cpu, leaf);
  return outcome;
}

/**
 * Swaps `seen` for `entry` under the leaf's lock; false when a hart set A or D meanwhile. The swap publishes the
 * frame's contents to every hart that walks to it.
 */
export function publishLocked(leaf: usize, slot: usize, seen: u64, entry: u64): bool {
  if (atomic.cmpxchg<u64>(slot, seen, entry) != seen) return false;
  if (seen == 0) addUsedLocked(leaf, 1);
  return true;
}
