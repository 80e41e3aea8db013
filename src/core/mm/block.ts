/**
 * Blocks of page tables: several contiguous frames under one descriptor, as a struct page serves two tables on s390 and
 * sixteen on a powerpc of 64 KiB pages (`--table-layout halves|fragments`; with `page` a table is a frame, and no block is).
 *
 *   block      frame 0     frame 1      …        the first descriptor holds what the block shares:
 *              ┌──────────┬──────────┬──         rcu head   its one deferred free; queued while QUEUED is set in `state`
 *              │ table    │ table    │           prev       fragments: tables not yet given back
 *              └──────────┴──────────┴──         link prev  halves: in the list of blocks with something spare
 *   state      of each table: SPARE ─► LIVE ─► SPARE, or ─► COVERED ─► SPARE, or ─► WAITING ─► COVERED ─► SPARE
 *
 * halves       a table is reused after its own grace period. The one rcu head serves two: a table retired while the head
 *              is queued for the other is WAITING, and the head is queued again for it when the first period ends.
 * fragments    handed out in order, never twice; the last to be given back queues the head, and after that period the
 *              block as a whole is free. Tables given back before it were unlinked before it, so one period serves all.
 * irq          tables come back after their round of IPIs, at once: the same states, without the rcu head.
 * Why right    nobody but the block's own words leads to a SPARE table; COVERED means that the head was queued, by
 *              defer(), after the table was unlinked.
 * Free blocks  are kept, up to KEPT frames; what is more, and all of them when memory is short, go to the frame allocator.
 * Guarded      everything here by BLOCK_LOCK, inside which only the frame allocator's locks are taken.
 * Linux        arch/s390/mm/pgalloc.c:page_table_alloc; arch/powerpc/mm/pgtable-frag.c
 */
import { Bug } from "../abi/bug";
import { Counter } from "../abi/counter";
import { Layout } from "../abi/mman";
import { bug } from "../sync/env";
import { ALLOCATOR, layout } from "../sync/layout";
import { defer } from "../sync/rcu";
import { lock, unlock } from "../sync/spinlock";
import { D_BLOCK, D_LINK, D_PREV, D_STATE, D_TYPE, descriptor, freeFrame, TYPE_SPARE, TYPE_TABLE } from "./frame";
import { KIND_BLOCK } from "./kinds";
import { count, countBy } from "./percpu";
import { allocRun } from "./run";

export const BLOCK_LOCK: usize = ALLOCATOR + 256;
/** Halves: first of the blocks with something spare and something not. */
const PARTIAL: usize = ALLOCATOR + 260;
/** Fragments: the block that is handed out from, 0 none, and the next of its tables. */
const CURRENT: usize = ALLOCATOR + 264;
const NEXT: usize = ALLOCATOR + 268;
/** Whole free blocks, through D_LINK, and how many. */
const FREE_BLOCKS: usize = ALLOCATOR + 272;
const FREE_COUNT: usize = ALLOCATOR + 276;
/** Frames of free blocks that are kept: a churn of tables within 16 MiB takes no run from the allocator. */
const KEPT: u32 = 4096;
const FRAGMENTS: u32 = 16;

const SPARE: u32 = 0;
const LIVE: u32 = 1;
const COVERED: u32 = 2;
const WAITING: u32 = 3;
const QUEUED: u32 = 0x100;

/** Tables in one block. */
export function blockTables(): u32 {
  return layout() == <u32>Layout.Fragments ? FRAGMENTS : layout() == <u32>Layout.Halves ? 2 : 1;
}

function isFragments(): bool {
  return layout() == <u32>Layout.Fragments;
}

function tableOf(block: usize, i: u32): usize {
  return block + ((<usize>i) << 12);
}

function stateOf(table: usize): u32 {
  return load<u32>(descriptor(table), D_STATE) & ~QUEUED;
}

function setState(table: usize, state: u32): void {
  const d = descriptor(table);
  store<u32>(d, (load<u32>(d, D_STATE) & QUEUED) | state, D_STATE);
  store<u32>(d, state == SPARE ? TYPE_SPARE : TYPE_TABLE, D_TYPE);
}

/** Whether the table that descriptor `d` describes is in use. */
export function isLiveInBlock(d: usize): bool {
  return (load<u32>(d, D_STATE) & ~QUEUED) == LIVE;
}

function isQueued(block: usize): bool {
  return (load<u32>(descriptor(block), D_STATE) & QUEUED) != 0;
}

function countState(block: usize, state: u32): u32 {
  const n = blockTables();
  let found: u32 = 0;
  for (let i: u32 = 0; i < n; i++) if (stateOf(tableOf(block, i)) == state) found++;
  return found;
}

/** A frame for one table, its contents arbitrary; 0 when no block can be had. */
export function takeTable(cpu: usize): usize {
  lock(cpu, BLOCK_LOCK);
  const table = isFragments() ? nextFragment(cpu) : spareHalf(cpu);
  if (table != 0) setState(table, LIVE);
  unlock(BLOCK_LOCK);
  return table;
}

function nextFragment(cpu: usize): usize {
  let block = <usize>load<u32>(CURRENT);
  if (block == 0) {
    block = newBlock(cpu);
    if (block == 0) return 0;
    store<u32>(descriptor(block), FRAGMENTS, D_PREV);
    store<u32>(CURRENT, <u32>block);
    store<u32>(NEXT, 0);
  }
  const i = load<u32>(NEXT);
  store<u32>(NEXT, i + 1);
  if (i == FRAGMENTS - 1) store<u32>(CURRENT, 0);
  return tableOf(block, i);
}

function spareHalf(cpu: usize): usize {
  const block = <usize>load<u32>(PARTIAL);
  if (block != 0) {
    unlinkBlock(block);
    return stateOf(block) == SPARE ? block : tableOf(block, 1);
  }
  const fresh = newBlock(cpu);
  if (fresh != 0) linkBlock(fresh);
  return fresh;
}

/** Gives back a table that no walker can be in: never linked, or its round of IPIs is over. */
export function giveBack(cpu: usize, table: usize): void {
  lock(cpu, BLOCK_LOCK);
  if (stateOf(table) != LIVE) bug(cpu, Bug.giveBack_table_is_not_live);
  const block = <usize>load<u32>(descriptor(table), D_BLOCK);
  count(cpu, Counter.TablesFreed);
  setState(table, isFragments() ? COVERED : SPARE);
  if (!isFragments()) spared(cpu, block, 1);
  else if (dropRef(block)) wholeFree(cpu, block);
  unlock(BLOCK_LOCK);
}

/** Gives back an unlinked table that walkers may be in: it is spare after a grace period. */
export function deferGiveBack(cpu: usize, table: usize, walked: bool): void {
  lock(cpu, BLOCK_LOCK);
  if (stateOf(table) != LIVE) bug(cpu, Bug.giveBack_table_is_not_live);
  const block = <usize>load<u32>(descriptor(table), D_BLOCK);
  if (isFragments()) {
    setState(table, COVERED);
    if (dropRef(block)) defer(cpu, descriptor(block), KIND_BLOCK);
  } else if (!walked) {
    setState(table, SPARE);
    count(cpu, Counter.TablesFreed);
    spared(cpu, block, 1);
  } else if (isQueued(block)) setState(table, WAITING);
  else {
    setState(table, COVERED);
    queue(cpu, block);
  }
  unlock(BLOCK_LOCK);
}

/** A grace period that began after the head was queued is over. */
export function blockReady(cpu: usize, block: usize): void {
  lock(cpu, BLOCK_LOCK);
  if (isFragments()) {
    countBy(cpu, Counter.TablesFreed, FRAGMENTS);
    wholeFree(cpu, block);
  } else halvesReady(cpu, block);
  unlock(BLOCK_LOCK);
}

function halvesReady(cpu: usize, block: usize): void {
  const d = descriptor(block);
  store<u32>(d, load<u32>(d, D_STATE) & ~QUEUED, D_STATE);
  let freed: u32 = 0;
  let waiting = false;
  for (let i: u32 = 0; i < 2; i++) {
    const table = tableOf(block, i);
    if (stateOf(table) == COVERED) {
      setState(table, SPARE);
      freed++;
    } else if (stateOf(table) == WAITING) {
      setState(table, COVERED);
      waiting = true;
    }
  }
  countBy(cpu, Counter.TablesFreed, freed);
  if (waiting) queue(cpu, block);
  spared(cpu, block, freed);
}

function queue(cpu: usize, block: usize): void {
  const d = descriptor(block);
  store<u32>(d, load<u32>(d, D_STATE) | QUEUED, D_STATE);
  defer(cpu, d, KIND_BLOCK);
}

/** `n` more halves of the block are spare: it joins the list, or leaves it free as a whole. */
function spared(cpu: usize, block: usize, n: u32): void {
  const spare = countState(block, SPARE);
  if (spare - n != 0) unlinkBlock(block);
  if (spare == 2) wholeFree(cpu, block);
  else if (spare == 1) linkBlock(block);
}

/** True when that was the last table of the block not given back. */
function dropRef(block: usize): bool {
  const d = descriptor(block);
  const left = load<u32>(d, D_PREV) - 1;
  store<u32>(d, left, D_PREV);
  return left == 0;
}

function linkBlock(block: usize): void {
  const d = descriptor(block);
  const head = load<u32>(PARTIAL);
  store<u32>(d, head, D_LINK);
  store<u32>(d, 0, D_PREV);
  if (head != 0) store<u32>(descriptor(<usize>head), <u32>block, D_PREV);
  store<u32>(PARTIAL, <u32>block);
}

function unlinkBlock(block: usize): void {
  const d = descriptor(block);
  const next = load<u32>(d, D_LINK);
  const prev = load<u32>(d, D_PREV);
  if (prev == 0) store<u32>(PARTIAL, next);
  else store<u32>(descriptor(<usize>prev), next, D_LINK);
  if (next != 0) store<u32>(descriptor(<usize>next), prev, D_PREV);
}

function newBlock(cpu: usize): usize {
  let block = <usize>load<u32>(FREE_BLOCKS);
  if (block != 0) {
    store<u32>(FREE_BLOCKS, load<u32>(descriptor(block), D_LINK));
    store<u32>(FREE_COUNT, load<u32>(FREE_COUNT) - 1);
    return block;
  }
  block = allocRun(cpu, blockTables());
  if (block != 0) markSpare(block);
  return block;
}

function markSpare(block: usize): void {
  const n = blockTables();
  for (let i: u32 = 0; i < n; i++) {
    store<u32>(descriptor(tableOf(block, i)), <u32>block, D_BLOCK);
    store<u32>(descriptor(tableOf(block, i)), 0, D_STATE);
    setState(tableOf(block, i), SPARE);
  }
}

function wholeFree(cpu: usize, block: usize): void {
  markSpare(block);
  if (load<u32>(FREE_COUNT) * blockTables() >= KEPT) {
    dissolve(cpu, block);
    return;
  }
  store<u32>(descriptor(block), load<u32>(FREE_BLOCKS), D_LINK);
  store<u32>(FREE_BLOCKS, <u32>block);
  store<u32>(FREE_COUNT, load<u32>(FREE_COUNT) + 1);
}

function dissolve(cpu: usize, block: usize): void {
  const n = blockTables();
  for (let i: u32 = 0; i < n; i++) {
    setState(tableOf(block, i), LIVE);
    freeFrame(cpu, tableOf(block, i));
  }
}

/** Memory is short: the kept blocks become frames; true when there was one. */
export function dissolveBlocks(cpu: usize): bool {
  lock(cpu, BLOCK_LOCK);
  const any = load<u32>(FREE_COUNT) != 0;
  while (load<u32>(FREE_COUNT) != 0) dissolve(cpu, newBlock(cpu));
  unlock(BLOCK_LOCK);
  return any;
}

/** Puts a block among the kept ones if there is none; true when there is one then. */
export function prepareBlock(cpu: usize): bool {
  lock(cpu, BLOCK_LOCK);
  const block = newBlock(cpu);
  if (block != 0) wholeFree(cpu, block);
  unlock(BLOCK_LOCK);
  return block != 0;
}
