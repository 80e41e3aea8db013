/**
 * Frees the page tables of a hole in the address space.
 *
 * Called with mmapLock (write), after the VMAs were detached and the range was zapped. The hole reaches from the end of
 * the VMA below to the start of the VMA above: a table is retired when all it maps lies in the hole.
 *
 * Algorithm  lock parent, lock child (the order of every nested pair); mark the child dead; every slot must be 0;
 *            clear the parent's entry; unlock both; under rcu defer the child to the end of a grace period, under irq
 *            gather it: the caller's flush frees it (section.ts draws the race).
 * Race       | munmap                       | fault
 *            | detached = 1                 | found the table through the old entry (reader section)
 *            | lock leaf; zap; unlock       | lock leaf; dead or detached: back off
 *            | lock leaf; dead = 1          |
 *            | defer, or gather             | the table stays readable until the section ends
 * Linux: mm/memory.c:free_pgtables.
 */
import { Bug } from "../abi/bug";
import { bug } from "../sync/env";
import { gatherTable } from "./gather";
import { entryAt, entrySpan, LEVELS, PTE_V, ptePhys } from "./pte";
import { tablesIrq } from "./section";
import { pgd } from "./space";
import { addUsedLocked, deferTable, lockTable, markDeadLocked, unlockTable, usedLocked } from "./table";

/** Retires the tables that [start, end) touches and that lie wholly in the hole [floor, ceiling). */
export function retireTables(cpu: usize, start: u64, end: u64, floor: u64, ceiling: u64): void {
  retireBelow(cpu, pgd(cpu), LEVELS - 1, start, end, floor, ceiling);
}

function retireBelow(cpu: usize, table: usize, level: u32, start: u64, end: u64, floor: u64, ceiling: u64): void {
  const span = entrySpan(level);
  for (let va = start & ~(span - 1); va < end; va += span) {
    const slot = entryAt(table, va, level);
    const entry = atomic.load<u64>(slot);
    if ((entry & PTE_V) == 0) continue;
    const child = ptePhys(entry);
    if (level > 1) {
      const from = va > start ? va : start;
      const upTo = va + span < end ? va + span : end;
      retireBelow(cpu, child, level - 1, from, upTo, floor, ceiling);
    }
    if (va >= floor && va + span <= ceiling) retireTable(cpu, table, slot, child);
  }
}

/** Whether one of eight entries is not 0: a cache line at a time, since a table is read whole each time one is retired. */
function anyOfEight(at: usize): bool {
  const low = atomic.load<u64>(at) | atomic.load<u64>(at, 8) | atomic.load<u64>(at, 16) | atomic.load<u64>(at, 24);
  const high =
    atomic.load<u64>(at, 32) | atomic.load<u64>(at, 40) | atomic.load<u64>(at, 48) | atomic.load<u64>(at, 56);
  return (low | high) != 0;
}

function retireTable(cpu: usize, parent: usize, slot: usize, table: usize): void {
  lockTable(cpu, parent);
  lockTable(cpu, table);
  markDeadLocked(table);
  if (usedLocked(table) != 0) bug(cpu, Bug.retireTable_entry_present_in_a_table_being_freed);
  for (let at = table; at < table + 4096; at += 64) {
    if (anyOfEight(at)) bug(cpu, Bug.retireTable_entry_present_in_a_table_being_freed);
  }
  atomic.xchg<u64>(slot, 0);
  addUsedLocked(parent, -1);
  unlockTable(cpu, table);
  unlockTable(cpu, parent);
  if (tablesIrq()) gatherTable(cpu, table);
  else deferTable(cpu, table);
}
