/**
 * Page tables.
 *
 * A table is one frame of 512 entries. With layout `page` it is a frame of its own; else one of a block (block.ts). Lock,
 * dead flag and deferral are each table's own:
 *
 *   lock    spin lock of the 512 entries and of `used`
 *   dead    atomic. set once under `lock` when the table is unlinked; who locks a table checks it first
 *   used    entries that are not 0, under `lock`
 *   level   0 leaf … LEVELS-1 root;  va: first address it maps;  parent: its parent table's frame address. Immutable
 *           from installation to the free
 *
 * Linux: compare struct ptdesc, pagetable_pte_ctor().
 */
import { Bug } from "../abi/bug";
import { Counter } from "../abi/counter";
import { Layout } from "../abi/mman";
import { bug } from "../sync/env";
import { layout } from "../sync/layout";
import { defer } from "../sync/rcu";
import { isLocked, lock, tryLock, unlock } from "../sync/spinlock";
import { deferGiveBack, giveBack, takeTable } from "./block";
import {
  allocFrame,
  D_DEAD,
  D_LEVEL,
  D_LOCK,
  D_PARENT,
  D_USED,
  D_VA,
  descriptor,
  freeFrame,
  TYPE_TABLE,
} from "./frame";
import { KIND_TABLE } from "./kinds";
import { count, P_NO_BLOCK } from "./percpu";
import { tablesIrq } from "./section";

export function lockTable(cpu: usize, table: usize): void {
  const waited = lock(cpu, descriptor(table) + D_LOCK);
  if (waited != 0) count(cpu, Counter.PtlWaits);
}

/** Once, without waiting. */
export function tryLockTable(table: usize): bool {
  return tryLock(descriptor(table) + D_LOCK);
}

export function unlockTable(cpu: usize, table: usize): void {
  const l = descriptor(table) + D_LOCK;
  if (!isLocked(l)) bug(cpu, Bug.unlockTable_table_was_not_locked);
  unlock(l);
}

export function isDead(table: usize): bool {
  return atomic.load<u32>(descriptor(table), D_DEAD) != 0;
}

export function markDeadLocked(table: usize): void {
  atomic.store<u32>(descriptor(table), 1, D_DEAD);
}

export function usedLocked(table: usize): u32 {
  return load<u32>(descriptor(table), D_USED);
}

export function addUsedLocked(table: usize, n: i32): void {
  const d = descriptor(table);
  store<u32>(d, load<u32>(d, D_USED) + n, D_USED);
}

/** An empty table for [va, …) at `level`, not yet linked to `parent`; 0 when no frame is left. */
export function allocTable(cpu: usize, level: u32, va: u64, parent: usize): usize {
  const table = isPage() ? allocFrame(cpu, TYPE_TABLE) : takeTable(cpu);
  if (table == 0) {
    if (!isPage()) store<u32>(cpu, 1, P_NO_BLOCK);
    return 0;
  }
  memory.fill(table, 0, 4096);
  const d = descriptor(table);
  atomic.store<u32>(d, 0, D_LOCK);
  atomic.store<u32>(d, 0, D_DEAD);
  store<u32>(d, level, D_LEVEL);
  store<u32>(d, 0, D_USED);
  store<u64>(d, va, D_VA);
  store<u32>(d, <u32>parent, D_PARENT);
  count(cpu, Counter.TablesAllocated);
  return table;
}

/** Gives back a table that was never linked. */
export function discardTable(cpu: usize, table: usize): void {
  if (isPage() || tablesIrq()) freeTable(cpu, table);
  else deferGiveBack(cpu, table, false);
}

/** Gives back a table that no walker can be in any more. */
export function freeTable(cpu: usize, table: usize): void {
  if (!isPage()) {
    giveBack(cpu, table);
    return;
  }
  count(cpu, Counter.TablesFreed);
  freeFrame(cpu, table);
}

/** Gives back an unlinked table once a grace period is over. */
export function deferTable(cpu: usize, table: usize): void {
  count(cpu, Counter.TablesDeferred);
  if (isPage()) defer(cpu, descriptor(table), KIND_TABLE);
  else deferGiveBack(cpu, table, true);
}

function isPage(): bool {
  return layout() == <u32>Layout.Page;
}
