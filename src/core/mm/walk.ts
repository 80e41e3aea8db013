/**
 * The page-table walk, the way back to a table that an earlier walk found, and the installation of missing tables.
 *
 * A walk lies inside a section (section.ts), or under mmapLock for a range that a VMA covers: a table it reached may be
 * unlinked meanwhile, never freed. What it found counts only once re-checked under the table's lock (commit.ts).
 */

import { irqOff, irqOn, pause } from "../sync/env";
import { answerIpis } from "../sync/ipi";
import { D_LOCK, descriptor } from "./frame";
import { Outcome } from "./outcome";
import { pretouch } from "./pretouch";
import { entryAt, entrySpan, LEVELS, PTE_V, ptePhys, tablePointer } from "./pte";
import { tablesIrq, walkBegin, walkEnd } from "./section";
import { pgd } from "./space";
import { addUsedLocked, allocTable, discardTable, isDead, lockTable, tryLockTable, unlockTable } from "./table";
import { isDetached } from "./vma";

/** The leaf table that maps va, or 0. */
export function walkLeaf(cpu: usize, va: u64): usize {
  return walkTo(cpu, va, 0);
}

/** The table of `level` on the way to va, or 0. */
function walkTo(cpu: usize, va: u64, to: u32): usize {
  let table = pgd(cpu);
  for (let level: u32 = LEVELS - 1; level > to; level--) {
    const entry = atomic.load<u64>(entryAt(table, va, level));
    if ((entry & PTE_V) == 0) return 0;
    table = ptePhys(entry);
  }
  return table;
}

/**
 * Locks `table`, which a section of this fault found at `level` on the way to va; false, and nothing is locked, when it is
 * not there any more.
 *
 *   rcu  the caller's reader section has kept it readable since: lock it, then see whether it is dead.
 *   irq  interrupts were on since: it may be free, or part of another's memory. So it is found again with interrupts off
 *        and locked there at the first try; a failed try waits outside, with interrupts on, and walks again.
 *        Locked and not dead it stays: who retires it must lock it first.
 */
export function lockWalked(cpu: usize, table: usize, va: u64, level: u32): bool {
  if (tablesIrq()) return lockAgain(cpu, table, va, level);
  pretouch(entryAt(table, va, level));
  lockTable(cpu, table);
  if (!isDead(table)) return true;
  unlockTable(cpu, table);
  return false;
}

function lockAgain(cpu: usize, table: usize, va: u64, level: u32): bool {
  let round: u32 = 0;
  while (true) {
    irqOff(cpu);
    const there = walkTo(cpu, va, level) == table;
    if (there) pretouch(entryAt(table, va, level));
    const locked = there && tryLockTable(table);
    const dead = locked && isDead(table);
    if (dead) unlockTable(cpu, table);
    irqOn(cpu);
    if (locked) return !dead;
    if (!there) return false;
    answerIpis(cpu);
    pause(cpu, descriptor(table) + D_LOCK, 1, round++);
  }
}

/**
 * Allocates the tables that are missing on the way to va, on behalf of `vma`. Done: all were there at some moment; an
 * Outcome that says why not.
 *
 * Race       | fault                               | munmap of vma
 *            | lock parent                         | detached = 1
 *            | detached? no; install; unlock       | lock and unlock each upper table of the range
 *            The installation is complete before munmap looks for tables, or sees `detached` and does not happen.
 */
export function ensureTables(cpu: usize, vma: usize, va: u64): u32 {
  for (let level: u32 = LEVELS - 1; level > 0; level--) {
    walkBegin(cpu);
    const parent = walkTo(cpu, va, level);
    const there = parent != 0 && (atomic.load<u64>(entryAt(parent, va, level)) & PTE_V) != 0;
    walkEnd(cpu);
    if (there) continue;
    const outcome: u32 = parent == 0 ? Outcome.RetryDead : installTable(cpu, vma, parent, level, va);
    if (outcome != Outcome.Done) return outcome;
  }
  return Outcome.Done;
}

/** Links a new table for va into `parent`, unless another CPU just did. */
function installTable(cpu: usize, vma: usize, parent: usize, level: u32, va: u64): u32 {
  const base = va & ~(entrySpan(level) - 1);
  const table = allocTable(cpu, level - 1, base, parent);
  if (table == 0) return Outcome.Oom;
  let outcome: u32 = Outcome.RetryDead;
  let linked = false;
  if (lockWalked(cpu, parent, va, level)) {
    const slot = entryAt(parent, va, level);
    outcome = isDetached(vma) ? Outcome.RetryDetached : Outcome.Done;
    if (outcome == Outcome.Done && atomic.load<u64>(slot) == 0) {
      // Publishes the cleared table and its descriptor to every walker that loads the entry.
      atomic.store<u64>(slot, tablePointer(table));
      addUsedLocked(parent, 1);
      linked = true;
    }
    unlockTable(cpu, parent);
  }
  if (!linked) discardTable(cpu, table);
  return outcome;
}
