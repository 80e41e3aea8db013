/**
 * Frames of 4 KiB, and one 64-byte descriptor line for each.
 *
 *    0        12     16     20     24     28     32     36     40       48      52      56      60
 *   ┌────────┬──────┬──────┬──────┬──────┬──────┬──────┬──────┬────────┬───────┬───────┬───────┬──────┐
 *   │rcu head│ type │ refs │ link │ lock │ dead │level │ used │ va     │parent │ block │ state │ prev │
 *   └────────┴──────┴──────┴──────┴──────┴──────┴──────┴──────┴────────┴───────┴───────┴───────┴──────┘
 *   rcu head  private to the CPU that deferred the frame (rcu.ts)
 *   type      changed by whoever owns the frame: the allocator when free, its user otherwise
 *   refs      of a bundle of free frames, how many it is; of a block of page tables: block.ts. In the first's descriptor
 *   link      next in a free list, under that list's lock; prev too in a list of blocks
 *   lock dead level used va parent   of a page table: table.ts.  block state   of a block's tables: block.ts
 *
 * Allocation   the CPU's own list first, then a bundle of the global list, whole, or 32 from the frontier of frames never
 *              used (those cost the host nothing), at last one from another CPU's list.
 * Order        lists are last in, first out; a batch is freed from its end, and bundles keep their order, so that a range
 *              that was mapped in ascending frames is mapped so again: the host's own translations are then in order.
 * Locks        own FREE_LOCK, then the global lock; a thief holds one FREE_LOCK and nothing else. Both are innermost.
 */
import { Bug } from "../abi/bug";
import { Counter } from "../abi/counter";
import { cpuArea, cpusSeen } from "../sync/cpu";
import { bug } from "../sync/env";
import { ALLOCATOR, H_DESCRIPTORS, H_FIRST_FRAME, H_FRAMES } from "../sync/layout";
import { lock, unlock } from "../sync/spinlock";
import { inOrder, sortFrames } from "./order";
import { count, countBy, P_FREE_COUNT, P_FREE_HEAD, P_FREE_LOCK } from "./percpu";

export const DESCRIPTOR_BYTES: u32 = 64;
export const D_TYPE: usize = 12;
export const D_REFS: usize = 16;
export const D_LINK: usize = 20;
export const D_LOCK: usize = 24;
export const D_DEAD: usize = 28;
export const D_LEVEL: usize = 32;
export const D_USED: usize = 36;
export const D_VA: usize = 40;
export const D_PARENT: usize = 48;
/** A bundle's next, in a place that only tables use else. */
export const D_BUNDLE: usize = D_PARENT;
export const D_BLOCK: usize = 52;
export const D_STATE: usize = 56;
export const D_PREV: usize = 60;

export const TYPE_NEVER: u32 = 0;
export const TYPE_FREE: u32 = 1;
/** In a block of page tables, with no table in it: as free as a free frame to everybody but the block. */
export const TYPE_SPARE: u32 = 2;
export const TYPE_DATA: u32 = 3;
export const TYPE_TABLE: u32 = 4;
export const TYPE_SLAB: u32 = 5;
export const TYPE_ZERO: u32 = 6;

export const G_LOCK: usize = ALLOCATOR;
export const G_HEAD: usize = ALLOCATOR + 4;
export const G_COUNT: usize = ALLOCATOR + 8;
export const G_FRONTIER: usize = ALLOCATOR + 12;

const BATCH: u32 = 32;
const KEEP: u32 = 96;

/** Descriptor of the frame that holds physical address `phys`. */
export function descriptor(phys: usize): usize {
  return <usize>load<u32>(H_DESCRIPTORS) + (phys >> 12) * DESCRIPTOR_BYTES;
}

/** First byte of the frame that `d` describes. */
export function frameOf(d: usize): usize {
  return ((d - <usize>load<u32>(H_DESCRIPTORS)) / DESCRIPTOR_BYTES) << 12;
}

export function frameType(phys: usize): u32 {
  return load<u32>(descriptor(phys), D_TYPE);
}

/** Whether nobody may use a frame: on a free list, never used, or spare. The checker asks before every access to a frame. */
export function isFreeFrame(phys: usize): bool {
  return frameType(phys) <= TYPE_SPARE;
}

export function setFrameType(phys: usize, type: u32): void {
  store<u32>(descriptor(phys), type, D_TYPE);
}

/** A frame with arbitrary contents, or 0 when none is left anywhere. */
export function allocFrame(cpu: usize, type: u32): usize {
  lock(cpu, cpu + P_FREE_LOCK);
  let head = load<u32>(cpu, P_FREE_HEAD);
  if (head == 0) {
    refill(cpu);
    head = load<u32>(cpu, P_FREE_HEAD);
  }
  if (head != 0) popLocked(cpu, head);
  unlock(cpu + P_FREE_LOCK);
  if (head == 0) head = steal(cpu);
  if (head == 0) return 0;
  const d = descriptor(<usize>head);
  if (load<u32>(d, D_TYPE) > TYPE_FREE) bug(cpu, Bug.allocFrame_frame_on_free_list_is_in_use);
  store<u32>(d, type, D_TYPE);
  count(cpu, Counter.FramesAllocated);
  return <usize>head;
}

function popLocked(cpu: usize, head: u32): void {
  store<u32>(cpu, load<u32>(descriptor(<usize>head), D_LINK), P_FREE_HEAD);
  store<u32>(cpu, load<u32>(cpu, P_FREE_COUNT) - 1, P_FREE_COUNT);
}

function pushLocked(cpu: usize, phys: usize): void {
  store<u32>(descriptor(phys), load<u32>(cpu, P_FREE_HEAD), D_LINK);
  store<u32>(cpu, <u32>phys, P_FREE_HEAD);
  store<u32>(cpu, load<u32>(cpu, P_FREE_COUNT) + 1, P_FREE_COUNT);
}

/** Gives a frame back. No table, TLB or reader may still lead to it. */
export function freeFrame(cpu: usize, phys: usize): void {
  lock(cpu, cpu + P_FREE_LOCK);
  markFree(cpu, phys);
  pushLocked(cpu, phys);
  if (load<u32>(cpu, P_FREE_COUNT) > KEEP) spill(cpu);
  unlock(cpu + P_FREE_LOCK);
  count(cpu, Counter.FramesFreed);
}

/**
 * Gives `n` frames back, u32 addresses at `list`. Many go to the global list at once, in order, as bundles, the last
 * first; the rest, from the last to the first, to the own list.
 */
export function freeFrames(cpu: usize, list: usize, n: u32): void {
  let left = n;
  if (left > KEEP) {
    if (!inOrder(list, n)) sortFrames(list, n);
    lock(cpu, G_LOCK);
    while (left >= BATCH) {
      left -= BATCH;
      pushBundle(chain(cpu, list + ((<usize>left) << 2)), BATCH);
    }
    unlock(G_LOCK);
  }
  lock(cpu, cpu + P_FREE_LOCK);
  while (left > 0) {
    const phys = <usize>load<u32>(list + ((<usize>--left) << 2));
    markFree(cpu, phys);
    pushLocked(cpu, phys);
    if (load<u32>(cpu, P_FREE_COUNT) > KEEP) spill(cpu);
  }
  unlock(cpu + P_FREE_LOCK);
  countBy(cpu, Counter.FramesFreed, n);
}

/** Links BATCH frames of a list, in its order; the first. */
function chain(cpu: usize, list: usize): usize {
  let next: u32 = 0;
  for (let i = BATCH; i > 0; i--) {
    const phys = load<u32>(list + ((<usize>(i - 1)) << 2));
    markFree(cpu, <usize>phys);
    store<u32>(descriptor(<usize>phys), next, D_LINK);
    next = phys;
  }
  return <usize>next;
}

function markFree(cpu: usize, phys: usize): void {
  const d = descriptor(phys);
  if (load<u32>(d, D_TYPE) <= TYPE_FREE) bug(cpu, Bug.freeFrame_frame_is_not_in_use);
  store<u32>(d, TYPE_FREE, D_TYPE);
}

/** Takes a bundle, else a batch from the frontier. Own FREE_LOCK held, own list empty. */
function refill(cpu: usize): void {
  lock(cpu, G_LOCK);
  const bundle = <usize>load<u32>(G_HEAD);
  if (bundle != 0) {
    const d = descriptor(bundle);
    const n = load<u32>(d, D_REFS);
    store<u32>(G_HEAD, load<u32>(d, D_BUNDLE));
    store<u32>(G_COUNT, load<u32>(G_COUNT) - n);
    store<u32>(cpu, <u32>bundle, P_FREE_HEAD);
    store<u32>(cpu, n, P_FREE_COUNT);
  } else {
    const next = load<u32>(G_FRONTIER);
    const left = load<u32>(H_FIRST_FRAME) + load<u32>(H_FRAMES) - next;
    const n = left < BATCH ? left : BATCH;
    store<u32>(G_FRONTIER, next + n);
    for (let i = n; i > 0; i--) pushLocked(cpu, (<usize>(next + i - 1)) << 12);
  }
  unlock(G_LOCK);
}

/** The BATCH frames that were freed last become a bundle of the global list, in their order. Own FREE_LOCK held. */
function spill(cpu: usize): void {
  const head = load<u32>(cpu, P_FREE_HEAD);
  let last = descriptor(<usize>head);
  for (let i: u32 = 1; i < BATCH; i++) last = descriptor(<usize>load<u32>(last, D_LINK));
  store<u32>(cpu, load<u32>(last, D_LINK), P_FREE_HEAD);
  store<u32>(cpu, load<u32>(cpu, P_FREE_COUNT) - BATCH, P_FREE_COUNT);
  store<u32>(last, 0, D_LINK);
  lock(cpu, G_LOCK);
  pushBundle(<usize>head, BATCH);
  unlock(G_LOCK);
}

/** Puts `n` linked frames on top of the global list. G_LOCK held. */
export function pushBundle(head: usize, n: u32): void {
  const d = descriptor(head);
  store<u32>(d, n, D_REFS);
  store<u32>(d, load<u32>(G_HEAD), D_BUNDLE);
  store<u32>(G_HEAD, <u32>head);
  store<u32>(G_COUNT, load<u32>(G_COUNT) + n);
}

/** One frame from any other CPU's list, or 0. No FREE_LOCK held. */
function steal(cpu: usize): u32 {
  const n = cpusSeen();
  for (let i: u32 = 0; i < n; i++) {
    const victim = cpuArea(i);
    if (victim == cpu) continue;
    lock(cpu, victim + P_FREE_LOCK);
    const head = load<u32>(victim, P_FREE_HEAD);
    if (head != 0) popLocked(victim, head);
    unlock(victim + P_FREE_LOCK);
    if (head != 0) return head;
  }
  return 0;
}

/** An offline CPU keeps no frames. */
export function drainFrames(cpu: usize): void {
  lock(cpu, cpu + P_FREE_LOCK);
  const n = load<u32>(cpu, P_FREE_COUNT);
  if (n != 0) {
    lock(cpu, G_LOCK);
    pushBundle(<usize>load<u32>(cpu, P_FREE_HEAD), n);
    unlock(G_LOCK);
    store<u32>(cpu, 0, P_FREE_HEAD);
    store<u32>(cpu, 0, P_FREE_COUNT);
  }
  unlock(cpu + P_FREE_LOCK);
}

/** Sets the allocator up over [firstFrame, firstFrame + frames). */
export function bootFrames(firstFrame: u32, frames: u32): void {
  store<u32>(H_FIRST_FRAME, firstFrame);
  store<u32>(H_FRAMES, frames);
  store<u32>(G_FRONTIER, firstFrame);
}

/** Frames on any free list or never used. Exact when nothing runs. */
export function freeFrameCount(): u32 {
  let n = load<u32>(G_COUNT) + load<u32>(H_FIRST_FRAME) + load<u32>(H_FRAMES) - load<u32>(G_FRONTIER);
  const cpus = cpusSeen();
  for (let i: u32 = 0; i < cpus; i++) n += load<u32>(cpuArea(i), P_FREE_COUNT);
  return n;
}

/** Frames ever taken into use: a bound for whole-memory scans. */
export function frontierFrame(): u32 {
  return load<u32>(G_FRONTIER);
}
