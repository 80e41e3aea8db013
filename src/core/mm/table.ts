/**
 * Page tables and the blocks they are cut from.
 *
 * A table is one frame of 512 entries. Tables are cut from blocks of BLOCK_TABLES contiguous frames (one, with layout
 * `page`); the block's first descriptor counts its tables in use (refs) and heads its deferred free. Lock, dead flag
 * and deferral belong to each table's own descriptor:
 *
 *   lock    spin lock of the 512 entries and of `used`
 *   dead    atomic. set once under `lock` when the table is unlinked; who locks a table checks it first
 *   used    entries that are not 0, under `lock`
 *   level   0 leaf … LEVELS-1 root;  va: first address it maps;  parent: its parent table's frame address. Immutable
 *           from installation to the free
 *   block   frame address of the block's first table. Immutable
 *
 * Linux: compare struct ptdesc, pagetable_pte_ctor(); arch/powerpc/mm/pgtable-frag.c for blocks.
 */
import { Bug } from "../abi/bug";
import { Counter } from "../abi/counter";
import { bug } from "../sync/env";
import { isLocked, lock, tryLock, unlock } from "../sync/spinlock";
import {
  allocFrame,
  D_BLOCK,
  D_DEAD,
  D_LEVEL,
  D_LOCK,
  D_PARENT,
  D_REFS,
  D_USED,
  D_VA,
  descriptor,
  freeFrame,
  TYPE_TABLE,
} from "./frame";
import { count } from "./percpu";

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
  const table = allocFrame(cpu, TYPE_TABLE);
  if (table == 0) return 0;
  memory.fill(table, 0, 4096);
  const d = descriptor(table);
  atomic.store<u32>(d, 0, D_LOCK);
  atomic.store<u32>(d, 0, D_DEAD);
  store<u32>(d, level, D_LEVEL);
  store<u32>(d, 0, D_USED);
  store<u64>(d, va, D_VA);
  store<u32>(d, <u32>parent, D_PARENT);
  store<u32>(d, <u32>table, D_BLOCK);
  atomic.store<u32>(d, 1, D_REFS);
  count(cpu, Counter.TablesAllocated);
  return table;
}

/** Gives a table back: never linked, or its grace period is over. The block goes with its last table. */
export function freeTable(cpu: usize, table: usize): void {
  count(cpu, Counter.TablesFreed);
  const block = <usize>load<u32>(descriptor(table), D_BLOCK);
  if (atomic.sub<u32>(descriptor(block), 1, D_REFS) == 1) freeFrame(cpu, block);
}
