/**
 * Frames of 4 KiB, and one 64-byte descriptor line for each.
 *
 *    0        12     16     20     24     28     32     36     40       48      52      56      60
 *   ┌────────┬──────┬──────┬──────┬──────┬──────┬──────┬──────┬────────┬───────┬───────┬───────┬──────┐
 *   │rcu head│ type │ refs │ link │ lock │ dead │level │ used │ va     │parent │ block │ state │ prev │
 *   └────────┴──────┴──────┴──────┴──────┴──────┴──────┴──────┴────────┴───────┴───────┴───────┴──────┘
 *   rcu head  private to the CPU that deferred the frame (rcu.ts)
 *   type      changed by whoever owns the frame: the allocator when free, its user otherwise
 *   refs      of a frame of data, u32 atomic: entries that map it, the page cache, who copies from it. 0 in every other frame
 *             and, with them, CACHED: a page of an object, never written through a private mapping
 *   used      of a bundle of free frames, how many it is, in the first's descriptor; of a page table: table.ts
 *   link      next in a free list, under that list's lock; prev too in a list of blocks
 *   lock dead level used va parent   of a page table: table.ts.  block state   of a block's tables: block.ts
 *
 * Allocation   the CPU's own list first, then a bundle, whole: an own one or one of the global stack; then 32 from the
 *              frontier of frames never used (those cost the host nothing), at last what another CPU keeps.
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
import { count, countBy, P_BUNDLED, P_BUNDLES, P_FREE_COUNT, P_FREE_HEAD, P_FREE_LOCK } from "./percpu";

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
/** A node of a page cache (cache.ts). */
export const TYPE_INDEX: u32 = 7;

/** In `refs` of a frame of data, from its allocation on: a page of an object. */
export const CACHED: u32 = 0x8000_0000;

export const G_LOCK: usize = ALLOCATOR;
/** A stack of bundles: head, and frames in it. */
export const G_LIST: usize = ALLOCATOR + 4;
export const G_FRONTIER: usize = ALLOCATOR + 12;

const BATCH: u32 = 32;
const KEEP: u32 = 96;
/** All CPUs together may keep one part in SHARE of the memory to themselves. */
const SHARE: u32 = 2;

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

/** A frame for data, with one reference; `kind` 0 or CACHED. Its contents are arbitrary. 0 when none is left. */
export function allocPage(cpu: usize, kind: u32): usize {
  const frame = allocFrame(cpu, TYPE_DATA);
  if (frame == 0) return 0;
  // Whoever still has the address from an earlier life may try a reference now: he finds out and gives it back (cache.ts).
  atomic.store<u32>(descriptor(frame), kind | 1, D_REFS);
  return frame;
}

/** One more reference, by who has one or holds the lock under which one can not go. */
export function getPage(frame: usize): void {
  atomic.add<u32>(descriptor(frame), 1, D_REFS);
}

/** A reference to a frame that may be free by now, or be something else; false when nobody has one. */
export function tryGetPage(frame: usize): bool {
  const d = descriptor(frame);
  while (true) {
    const n = atomic.load<u32>(d, D_REFS);
    if ((n & ~CACHED) == 0) return false;
    if (atomic.cmpxchg<u32>(d, n, n + 1, D_REFS) == n) return true;
  }
}

/** Gives a reference back; true when it was the last: the frame is the caller's to free. */
export function dropPage(frame: usize): bool {
  const old = atomic.sub<u32>(descriptor(frame), 1, D_REFS);
  if (old == (CACHED | 1)) atomic.store<u32>(descriptor(frame), 0, D_REFS);
  return (old & ~CACHED) == 1;
}

/** Gives a reference back, and the frame with the last. No TLB of this reference may still lead to it. */
export function putPage(cpu: usize, frame: usize): void {
  if (dropPage(frame)) freeFrame(cpu, frame);
}

/** Whether a page is its mapper's alone: anonymous, and nobody else has a reference. A fact under the lock of the table that maps it. */
export function isSolePage(frame: usize): bool {
  return atomic.load<u32>(descriptor(frame), D_REFS) == 1;
}

export function isCachedPage(frame: usize): bool {
  return (atomic.load<u32>(descriptor(frame), D_REFS) & CACHED) != 0;
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
 * Gives `n` frames back, u32 addresses at `list`. Many become bundles, in order, the last first; the rest
 * goes to the own list, from the last to the first.
 */
export function freeFrames(cpu: usize, list: usize, n: u32): void {
  let left = n;
  lock(cpu, cpu + P_FREE_LOCK);
  if (left > KEEP) {
    if (!inOrder(list, n)) sortFrames(list, n);
    while (left >= BATCH) {
      left -= BATCH;
      keepBundle(cpu, chain(cpu, list + ((<usize>left) << 2)));
    }
  }
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

/** Takes an own bundle, else a global one, else a batch from the frontier. Own FREE_LOCK held, own list empty. */
function refill(cpu: usize): void {
  let bundle = popBundle(cpu + P_BUNDLES);
  if (bundle == 0) {
    lock(cpu, G_LOCK);
    bundle = popBundle(G_LIST);
    if (bundle == 0) refillFromFrontier(cpu);
    unlock(G_LOCK);
  }
  if (bundle != 0) useBundle(cpu, bundle);
}

function useBundle(cpu: usize, bundle: usize): void {
  store<u32>(cpu, <u32>bundle, P_FREE_HEAD);
  store<u32>(cpu, load<u32>(descriptor(bundle), D_USED), P_FREE_COUNT);
}

/** Both locks held. */
function refillFromFrontier(cpu: usize): void {
  const next = load<u32>(G_FRONTIER);
  const left = load<u32>(H_FIRST_FRAME) + load<u32>(H_FRAMES) - next;
  const n = left < BATCH ? left : BATCH;
  store<u32>(G_FRONTIER, next + n);
  for (let i = n; i > 0; i--) pushLocked(cpu, (<usize>(next + i - 1)) << 12);
}

/** The BATCH frames that were freed last become a bundle, in their order. Own FREE_LOCK held. */
function spill(cpu: usize): void {
  const head = load<u32>(cpu, P_FREE_HEAD);
  let last = descriptor(<usize>head);
  for (let i: u32 = 1; i < BATCH; i++) last = descriptor(<usize>load<u32>(last, D_LINK));
  store<u32>(cpu, load<u32>(last, D_LINK), P_FREE_HEAD);
  store<u32>(cpu, load<u32>(cpu, P_FREE_COUNT) - BATCH, P_FREE_COUNT);
  store<u32>(last, 0, D_LINK);
  keepBundle(cpu, <usize>head);
}

/** Puts a bundle of BATCH on the own stack, or, when that has its share of the memory, on the global one. */
function keepBundle(cpu: usize, head: usize): void {
  if (load<u32>(cpu, P_BUNDLED) < load<u32>(H_FRAMES) / SHARE / cpusSeen()) {
    pushBundle(cpu + P_BUNDLES, head, BATCH);
    return;
  }
  lock(cpu, G_LOCK);
  pushBundle(G_LIST, head, BATCH);
  unlock(G_LOCK);
}

/** Puts `n` linked frames on top of the stack {head, frames} at `list`, whose lock is held. */
export function pushBundle(list: usize, head: usize, n: u32): void {
  const d = descriptor(head);
  store<u32>(d, n, D_USED);
  store<u32>(d, load<u32>(list), D_BUNDLE);
  store<u32>(list, <u32>head);
  store<u32>(list, load<u32>(list, 4) + n, 4);
}

function popBundle(list: usize): usize {
  const head = <usize>load<u32>(list);
  if (head == 0) return 0;
  const d = descriptor(head);
  store<u32>(list, load<u32>(d, D_BUNDLE));
  store<u32>(list, load<u32>(list, 4) - load<u32>(d, D_USED), 4);
  return head;
}

/** A frame from any other CPU, and when it comes from a bundle the rest of that, too; 0: nobody has one. No FREE_LOCK held. */
function steal(cpu: usize): u32 {
  const n = cpusSeen();
  for (let i: u32 = 0; i < n; i++) {
    const victim = cpuArea(i);
    if (victim == cpu) continue;
    lock(cpu, victim + P_FREE_LOCK);
    const bundle = popBundle(victim + P_BUNDLES);
    const head = load<u32>(victim, P_FREE_HEAD);
    if (bundle == 0 && head != 0) popLocked(victim, head);
    unlock(victim + P_FREE_LOCK);
    if (bundle != 0) return takeFirst(cpu, bundle);
    if (head != 0) return head;
  }
  return 0;
}

/** The first frame of a bundle; the rest goes to the own stack. */
function takeFirst(cpu: usize, bundle: usize): u32 {
  const d = descriptor(bundle);
  const rest = load<u32>(d, D_USED) - 1;
  if (rest != 0) {
    lock(cpu, cpu + P_FREE_LOCK);
    pushBundle(cpu + P_BUNDLES, <usize>load<u32>(d, D_LINK), rest);
    unlock(cpu + P_FREE_LOCK);
  }
  return <u32>bundle;
}

/** All that CPU `owner` keeps goes to the global list: it goes offline, or a run of frames is looked for. */
export function drainFrames(cpu: usize, owner: usize): void {
  lock(cpu, owner + P_FREE_LOCK);
  lock(cpu, G_LOCK);
  const n = load<u32>(owner, P_FREE_COUNT);
  if (n != 0) pushBundle(G_LIST, <usize>load<u32>(owner, P_FREE_HEAD), n);
  store<u32>(owner, 0, P_FREE_HEAD);
  store<u32>(owner, 0, P_FREE_COUNT);
  for (let b = popBundle(owner + P_BUNDLES); b != 0; b = popBundle(owner + P_BUNDLES)) {
    pushBundle(G_LIST, b, load<u32>(descriptor(b), D_USED));
  }
  unlock(G_LOCK);
  unlock(owner + P_FREE_LOCK);
}

/** Sets the allocator up over [firstFrame, firstFrame + frames). */
export function bootFrames(firstFrame: u32, frames: u32): void {
  store<u32>(H_FIRST_FRAME, firstFrame);
  store<u32>(H_FRAMES, frames);
  store<u32>(G_FRONTIER, firstFrame);
}

/** Frames on any free list or never used. Exact when nothing runs. */
export function freeFrameCount(): u32 {
  let n = load<u32>(G_LIST, 4) + load<u32>(H_FIRST_FRAME) + load<u32>(H_FRAMES) - load<u32>(G_FRONTIER);
  const cpus = cpusSeen();
  for (let i: u32 = 0; i < cpus; i++) {
    n += load<u32>(cpuArea(i), P_FREE_COUNT) + load<u32>(cpuArea(i), P_BUNDLED);
  }
  return n;
}

/** Whether a frame is on any free list or never used: looked up under each list's lock. */
export function anyFreeFrame(cpu: usize): bool {
  const n = cpusSeen();
  for (let i: u32 = 0; i < n; i++) {
    const owner = cpuArea(i);
    lock(cpu, owner + P_FREE_LOCK);
    const kept = load<u32>(owner, P_FREE_COUNT) + load<u32>(owner, P_BUNDLED);
    unlock(owner + P_FREE_LOCK);
    if (kept != 0) return true;
  }
  lock(cpu, G_LOCK);
  const left = load<u32>(G_LIST, 4) + load<u32>(H_FIRST_FRAME) + load<u32>(H_FRAMES) - load<u32>(G_FRONTIER);
  unlock(G_LOCK);
  return left != 0;
}

/** Frames ever taken into use: a bound for whole-memory scans. */
export function frontierFrame(): u32 {
  return load<u32>(G_FRONTIER);
}
