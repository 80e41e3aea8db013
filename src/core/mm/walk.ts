/**
 * The page-table walk, and the installation of missing tables.
 *
 * A walker holds mmapLock or is inside a reader section: a table it reached may be unlinked meanwhile, never freed.
 * What it found counts only once re-checked under the table's lock (commit.ts).
 */

import { Outcome } from "./outcome";
import { entryAt, entrySpan, LEVELS, PTE_V, ptePhys, tablePointer } from "./pte";
import { pgd } from "./space";
import { addUsedLocked, allocTable, freeTable, isDead, lockTable, unlockTable } from "./table";
import { isDetached } from "./vma";

/** The leaf table that maps va, or 0. */
export function walkLeaf(va: u64): usize {
  let table = pgd();
  for (let level: u32 = LEVELS - 1; level > 0; level--) {
    const entry = atomic.load<u64>(entryAt(table, va, level));
    if ((entry & PTE_V) == 0) return 0;
    table = ptePhys(entry);
  }
  return table;
}

/**
 * The same, allocating what is missing on behalf of `vma`. Returns the leaf's address, or an Outcome (all below 4096).
 *
 * Race       | fault                               | munmap of vma
 *            | lock parent                         | detached = 1
 *            | detached? no; install; unlock       | lock and unlock each upper table of the range
 *            The installation is complete before munmap looks for tables, or sees `detached` and does not happen.
 */
export function ensureLeaf(cpu: usize, vma: usize, va: u64): usize {
  let table = pgd();
  for (let level: u32 = LEVELS - 1; level > 0; level--) {
    const slot = entryAt(table, va, level);
    let entry = atomic.load<u64>(slot);
    if ((entry & PTE_V) == 0) {
      const outcome = installTable(cpu, vma, table, level, va);
      if (outcome != Outcome.Done) return <usize>outcome;
      entry = atomic.load<u64>(slot);
      if ((entry & PTE_V) == 0) return <usize>Outcome.RetryDead;
    }
    table = ptePhys(entry);
  }
  return table;
}

/** Links a new table for va into `parent`, unless another CPU just did. */
function installTable(cpu: usize, vma: usize, parent: usize, level: u32, va: u64): u32 {
  const base = va & ~(entrySpan(level) - 1);
  const table = allocTable(cpu, level - 1, base, parent);
  if (table == 0) return Outcome.Oom;
  const slot = entryAt(parent, va, level);
  lockTable(cpu, parent);
  let outcome: u32 = Outcome.Done;
  let linked = false;
  if (isDead(parent)) outcome = Outcome.RetryDead;
  else if (isDetached(vma)) outcome = Outcome.RetryDetached;
  else if (atomic.load<u64>(slot) == 0) {
    // Publishes the cleared table and its descriptor to every walker that loads the entry.
    atomic.store<u64>(slot, tablePointer(table));
    addUsedLocked(parent, 1);
    linked = true;
  }
  unlockTable(cpu, parent);
  if (!linked) freeTable(cpu, table);
  return outcome;
}
