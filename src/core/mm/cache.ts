/**
 * The page cache of an object: a radix tree from page number to frame, searched without a lock.
 *
 *   root   0, or a node | height      node   1,024 u32 in a frame: below it nodes, at height 1 pages
 *   page   0, or a frame | DIRTY      DIRTY: the host does not have what the frame holds
 *
 * Promise    getCached() returns a frame with a reference of its own that was the page at some moment during the call.
 * Algorithm  a reader loads the slot, tries a reference (never from 0), and loads the slot again: the same frame, so it was
 *            the page's when the reference was taken. Else the reference goes back. (Linux: page_cache_get_speculative)
 * Race       | remove                     | fault
 *            | slot = 0                   | get: slot = F, F.refs + 1, slot still F
 *            | zap every mapping          | lock leaf; slot still F? install; unlock
 *            | put the cache's reference  |
 *            Under the leaf's lock the fault sees 0, or the zap comes after it and finds its entry (truncate.ts).
 * Growth     under cLock: a new root is published with one store; a slot is filled only when it is 0. Nodes stay until the
 *            object ends, and are deferred then: a fault may be in one.
 * Reference  the cache has one to each page; whoever takes a page out gives it back after the zap.
 * Locks      cLock of the object; the frame allocator's inside. Nothing waits for IPIs under it: the host's own thread takes
 *            it too (hostCache.ts).
 */

import { defer } from "../sync/rcu";
import { lock, unlock } from "../sync/spinlock";
import { allocFrame, descriptor, putPage, TYPE_INDEX, tryGetPage } from "./frame";
import { KIND_INDEX } from "./kinds";
import { O_CACHE_LOCK, O_DATA_END, O_PAGES, O_ROOT, O_SIZE, O_TRIM_NEEDED, TRIMS } from "./object";

export const DIRTY: u32 = 1;
const FRAME: u32 = 0xffff_f000;
const HEIGHT: u32 = 0xfff;
const BITS: u32 = 10;
const FANOUT: u32 = 1024;

/** The frame that a slot's word names; 0 none. */
export function frameIn(word: u32): usize {
  return <usize>(word & FRAME);
}

/** Where page `index` is kept, or 0 when no node leads there. In a reader section, or while the object is held. */
export function slotOf(o: usize, index: u32): usize {
  const root = atomic.load<u32>(o, O_ROOT);
  let height = root & HEIGHT;
  if (height == 0 || (height * BITS < 32 && index >> (height * BITS) != 0)) return 0;
  let node = <usize>(root & FRAME);
  while (height > 1) {
    height--;
    node = <usize>atomic.load<u32>(node + ((<usize>(index >> (height * BITS)) & (FANOUT - 1)) << 2));
    if (node == 0) return 0;
  }
  return node + ((<usize>index & (FANOUT - 1)) << 2);
}

/** The page's frame with a reference for the caller; 0 when it is not cached. */
export function getCached(cpu: usize, o: usize, index: u32): usize {
  const slot = slotOf(o, index);
  if (slot == 0) return 0;
  while (true) {
    const frame = frameIn(atomic.load<u32>(slot));
    if (frame == 0) return 0;
    if (!tryGetPage(frame)) continue;
    if (frameIn(atomic.load<u32>(slot)) == frame) return frame;
    // Some other life of the frame; if its owner let go meanwhile, this reference was the last.
    putPage(cpu, frame);
  }
}

/** Whether page `index` still is `frame`: asked under the lock of the table that is to map it. */
export function isStillCached(o: usize, index: u32, frame: usize): bool {
  const slot = slotOf(o, index);
  return slot != 0 && frameIn(atomic.load<u32>(slot)) == frame;
}

export function isCached(o: usize, index: u32): bool {
  const slot = slotOf(o, index);
  return slot != 0 && atomic.load<u32>(slot) != 0;
}

/** Marks a page dirty, if it still is `frame`. The caller keeps that frame from being written back meanwhile: its leaf's lock. */
export function markDirty(o: usize, index: u32, frame: usize): void {
  const slot = slotOf(o, index);
  if (slot == 0) return;
  while (true) {
    const word = atomic.load<u32>(slot);
    if (frameIn(word) != frame || (word & DIRTY) != 0) return;
    if (atomic.cmpxchg<u32>(slot, word, word | DIRTY) == word) return;
  }
}

/** How addCached() ended. */
export enum Add {
  Added = 0,
  /** There is a page already, or the file ends before it, or, for a page made here, the host has bytes for it. */
  Refused = 1,
  NoMemory = 2,
}

/**
 * Makes `frame`, whose reference is the caller's to give, the page `index`. `fresh`: it was made here, zero, and is refused
 * where the host has data.
 */
export function addCached(cpu: usize, o: usize, index: u32, frame: usize, fresh: bool): Add {
  lock(cpu, o + O_CACHE_LOCK);
  const result = addLocked(cpu, o, index, frame, fresh);
  unlock(o + O_CACHE_LOCK);
  return result;
}

export function addLocked(cpu: usize, o: usize, index: u32, frame: usize, fresh: bool): Add {
  const offset = (<u64>index) << 12;
  if (offset >= atomic.load<u64>(o, O_SIZE)) return Add.Refused;
  if (fresh && offset < atomic.load<u64>(o, O_DATA_END)) return Add.Refused;
  const slot = makeSlotLocked(cpu, o, index);
  if (slot == 0) return Add.NoMemory;
  if (atomic.load<u32>(slot) != 0) return Add.Refused;
  // Publishes the frame's contents to every fault that loads the slot.
  atomic.store<u32>(slot, <u32>frame);
  store<u32>(o, load<u32>(o, O_PAGES) + 1, O_PAGES);
  return Add.Added;
}

/**
 * The nodes on the way to `index`, for who found no memory for them beside a page, and gave that back. They stay: of two that
 * are needed the last frame becomes one, and the next attempt wants one less. Without it the page would take the last frame
 * each time, and give it back for want of a node, for ever.
 */
export function makeRoom(cpu: usize, o: usize, index: u32): bool {
  lock(cpu, o + O_CACHE_LOCK);
  const made = makeSlotLocked(cpu, o, index) != 0;
  unlock(o + O_CACHE_LOCK);
  return made;
}

/** The slot of `index`, with the nodes on the way to it; 0 without memory. */
function makeSlotLocked(cpu: usize, o: usize, index: u32): usize {
  let root = atomic.load<u32>(o, O_ROOT);
  while ((root & HEIGHT) == 0 || ((root & HEIGHT) * BITS < 32 && index >> ((root & HEIGHT) * BITS) != 0)) {
    const node = newNode(cpu);
    if (node == 0) return 0;
    // The old tree is the leftmost child of a taller one.
    atomic.store<u32>(node, root & FRAME);
    root = <u32>node | ((root & HEIGHT) + 1);
    atomic.store<u32>(o, root, O_ROOT);
  }
  let height = root & HEIGHT;
  let node = <usize>(root & FRAME);
  while (height > 1) {
    height--;
    const slot = node + ((<usize>(index >> (height * BITS)) & (FANOUT - 1)) << 2);
    node = <usize>atomic.load<u32>(slot);
    if (node == 0) {
      node = newNode(cpu);
      if (node == 0) return 0;
      atomic.store<u32>(slot, <u32>node);
    }
  }
  return node + ((<usize>index & (FANOUT - 1)) << 2);
}

function newNode(cpu: usize): usize {
  const node = allocFrame(cpu, TYPE_INDEX);
  if (node != 0) memory.fill(node, 0, 4096);
  return node;
}

/** The first index in [from, end) with a page whose slot has all bits of `with`, or `end`. cLock, or the object held. */
export function nextCached(o: usize, from: u32, end: u32, with_: u32): u32 {
  const height = atomic.load<u32>(o, O_ROOT) & HEIGHT;
  const held: u32 = height * BITS < 32 ? (height == 0 ? 0 : (<u32>1) << (height * BITS)) : 0xffff_ffff;
  const stop: u32 = end < held ? end : held;
  let index = from;
  while (index < stop) {
    const slot = slotOf(o, index);
    if (slot == 0) {
      // No node: nothing before the next one begins.
      const next = (index | (FANOUT - 1)) + 1;
      if (next <= index) break;
      index = next;
      continue;
    }
    const word = atomic.load<u32>(slot);
    if (word != 0 && (word & with_) == with_) return index;
    index++;
  }
  return end;
}

/** Takes a page out; its frame, with the cache's reference, is the caller's. 0: there was none. */
export function removeLocked(o: usize, index: u32): usize {
  const slot = slotOf(o, index);
  if (slot == 0) return 0;
  const word = atomic.xchg<u32>(slot, 0);
  if (word == 0) return 0;
  store<u32>(o, load<u32>(o, O_PAGES) - 1, O_PAGES);
  return frameIn(word);
}

/** All pages and nodes of an object that nothing refers to any more. */
export function dropCache(cpu: usize, o: usize): void {
  lock(cpu, o + O_CACHE_LOCK);
  const root = atomic.xchg<u32>(o, 0, O_ROOT);
  if (load<u32>(o, O_TRIM_NEEDED) != 0) atomic.sub<u32>(TRIMS, 1);
  store<u32>(o, 0, O_TRIM_NEEDED);
  unlock(o + O_CACHE_LOCK);
  if ((root & HEIGHT) != 0) dropNode(cpu, <usize>(root & FRAME), root & HEIGHT);
  store<u32>(o, 0, O_PAGES);
}

function dropNode(cpu: usize, node: usize, height: u32): void {
  for (let i: u32 = 0; i < FANOUT; i++) {
    const slot = node + ((<usize>i) << 2);
    if (height > 1) {
      const child = <usize>atomic.load<u32>(slot);
      if (child != 0) dropNode(cpu, child, height - 1);
      continue;
    }
    const word = atomic.xchg<u32>(slot, 0);
    if (word != 0) putPage(cpu, frameIn(word));
  }
  defer(cpu, descriptor(node), KIND_INDEX);
}
