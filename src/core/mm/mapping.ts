/**
 * The two changes to the set of VMAs that mmap, munmap and brk share. mmapLock (write).
 *
 *   unmapLocked    [start, end) becomes a hole: split, detach, zap, retire tables, flush
 *   insertLocked   a hole becomes a VMA, merged with the neighbours it equals
 *
 * Order (design protocol 3): the new root is stored (nobody finds the old VMAs any more), each old VMA is marked
 * detached (a fault that found one before fails its commit), then the range is zapped under every table lock and
 * flushed; only then may something else be mapped there.
 */
import { Errno } from "../abi/errno";
import { defer } from "../sync/rcu";
import { countVma } from "./accounts";
import { gatherBegin, gatherFlush } from "./gather";
import { KIND_VMA } from "./kinds";
import { dropName, holdName } from "./name";
import { attachObject, detachObject } from "./object";
import { TASK_SIZE } from "./pte";
import { retireTables } from "./retire";
import { SLAB_VMA, slabFree } from "./slab";
import { MAX_MAP_COUNT, S_MAP_COUNT, spaceOf, treeRoot } from "./space";
import { findEndingAbove, findStartingBelow } from "./tree";
import { treeClear, treeReplace, treeReserve } from "./treeChange";
import {
  cutVma,
  joinAnon,
  joinsLeft,
  joinsRight,
  newVma,
  V_DETACHED,
  V_END,
  V_NAME,
  V_OBJECT,
  V_OFFSET,
  V_START,
  vmaEnd,
  vmaEndOffset,
  vmaFlags,
  vmaName,
  vmaStart,
} from "./vma";
import { vmaMarkDetached, vmaStartWrite } from "./vmaLock";
import { WHOLE, zapRange } from "./zap";

/** Marks a VMA that the tree no longer holds, and defers its record. */
export function detachVma(cpu: usize, vma: usize): void {
  atomic.store<u32>(vma, 1, V_DETACHED);
  vmaMarkDetached(vma);
  detachObject(cpu, vma);
  dropName(cpu, vmaName(vma));
  countVma(cpu, vma, -1);
  defer(cpu, vma, KIND_VMA);
}

/** Frees a VMA that was never published. */
export function discardVma(cpu: usize, vma: usize): void {
  if (vma != 0) slabFree(cpu, SLAB_VMA, vma);
}

/** Makes [start, end) a hole: what removeLocked() and clearRange() do. 0 or -ENOMEM. */
export function unmapLocked(cpu: usize, start: u64, end: u64): i32 {
  const result = removeLocked(cpu, start, end);
  if (result > 0) clearRange(cpu, start, end);
  return result < 0 ? result : 0;
}

/**
 * Takes the VMAs of [start, end), page-aligned, out of the tree; their pages are still there. 1; 0 when there was none;
 * -ENOMEM when a split finds no memory or would pass max_map_count (nothing has changed then).
 */
export function removeLocked(cpu: usize, start: u64, end: u64): i32 {
  const oldRoot = treeRoot(cpu);
  const first = findEndingAbove(oldRoot, start);
  if (first == 0 || vmaStart(first) >= end) return 0;
  const last = findStartingBelow(oldRoot, end);
  const cutHead = vmaStart(first) < start;
  const cutTail = vmaEnd(last) > end;
  if (cutHead && cutTail && first == last && load<u32>(spaceOf(cpu), S_MAP_COUNT) >= MAX_MAP_COUNT)
    return -Errno.ENOMEM;
  if (!treeReserve(cpu)) return -Errno.ENOMEM;
  let head: usize = 0;
  let tail: usize = 0;
  if (cutHead) {
    head = cutVma(cpu, first, vmaStart(first), start, vmaFlags(first));
    if (head == 0) return -Errno.ENOMEM;
  }
  if (cutTail) {
    tail = cutVma(cpu, last, end, vmaEnd(last), vmaFlags(last));
    if (tail == 0) {
      discardVma(cpu, head);
      return -Errno.ENOMEM;
    }
  }
  lockAll(cpu, oldRoot, first, last);
  adopt(cpu, head);
  adopt(cpu, tail);
  treeReplace(cpu, vmaStart(first), vmaStart(last) + 1, head, tail, 0);
  detachAll(cpu, oldRoot, first, last);
  return 1;
}

/** Every VMA goes: the space is taken down, no CPU is in it. One tree change whatever their number. */
export function unmapAllLocked(cpu: usize): void {
  const root = treeRoot(cpu);
  if (root == 0) return;
  const first = findEndingAbove(root, 0);
  const last = findStartingBelow(root, TASK_SIZE);
  treeClear(cpu);
  detachAll(cpu, root, first, last);
  clearRange(cpu, 0, TASK_SIZE);
}

/**
 * Zaps a range whose VMAs were removed, retires the tables of the hole, and flushes once for both. mmapLock held for writing since, or
 * downgraded: no VMA comes or goes, and whoever faults beside the hole needs none of the tables that lie wholly in it.
 */
export function clearRange(cpu: usize, start: u64, end: u64): void {
  gatherBegin(cpu);
  zapRange(cpu, start, end, true, WHOLE);
  const below = findStartingBelow(treeRoot(cpu), start);
  const above = findEndingAbove(treeRoot(cpu), end - 1);
  retireTables(cpu, start, end, below == 0 ? 0 : vmaEnd(below), above == 0 ? TASK_SIZE : vmaStart(above));
  gatherFlush(cpu);
}

/** Write-locks first … last. */
function lockAll(cpu: usize, root: usize, first: usize, last: usize): void {
  for (let vma = first; vma != 0; vma = vma == last ? 0 : findEndingAbove(root, vmaEnd(vma))) vmaStartWrite(cpu, vma);
}

/**
 * Counts a VMA that treeReplace is about to publish, and enters it among its object's mappings: a fault that finds it in the
 * tree may map a page, and who takes that page out of the object must find the mapping.
 */
export function adopt(cpu: usize, vma: usize): void {
  if (vma == 0) return;
  attachObject(cpu, vma);
  holdName(vmaName(vma));
  countVma(cpu, vma, 1);
}

/** Detaches first … last of the old tree; its nodes are still readable, as this CPU has not been quiescent. */
function detachAll(cpu: usize, oldRoot: usize, first: usize, last: usize): void {
  let vma = first;
  while (true) {
    const next: usize = vma == last ? 0 : findEndingAbove(oldRoot, vmaEnd(vma));
    detachVma(cpu, vma);
    if (next == 0) return;
    vma = next;
  }
}

/** Maps [start, end), which must be a hole. 0, or -ENOMEM (nothing has changed). */
export function insertLocked(
  cpu: usize,
  start: u64,
  end: u64,
  flags: u32,
  object: u32,
  offset: u64,
  record: usize,
  name: usize = 0,
): i32 {
  if (load<u32>(spaceOf(cpu), S_MAP_COUNT) >= MAX_MAP_COUNT || !treeReserve(cpu)) return -Errno.ENOMEM;
  const vma = newVma(cpu, start, end, flags, object, offset, record);
  if (vma == 0) return -Errno.ENOMEM;
  store<u32>(vma, <u32>name, V_NAME);
  publishVma(cpu, vma);
  return 0;
}

/** Publishes a VMA that nobody has seen, made for a hole, as one with the neighbours it equals. Nodes are in reserve. */
export function publishVma(cpu: usize, vma: usize): void {
  const root = treeRoot(cpu);
  const from = vmaStart(vma);
  let left = findStartingBelow(root, from);
  if (left != 0 && (vmaEnd(left) != from || !continues(left, vma))) left = 0;
  let right = findEndingAbove(root, vmaEnd(vma));
  if (right != 0 && (vmaStart(right) != vmaEnd(vma) || !precedes(vma, right))) right = 0;
  if (left != 0) {
    vmaStartWrite(cpu, left);
    joinAnon(vma, left);
    store<u64>(vma, vmaStart(left), V_START);
    store<u64>(vma, load<u64>(left, V_OFFSET), V_OFFSET);
  }
  if (right != 0) {
    vmaStartWrite(cpu, right);
    joinAnon(vma, right);
    store<u64>(vma, vmaEnd(right), V_END);
  }
  adopt(cpu, vma);
  treeReplace(cpu, vmaStart(vma), (right != 0 ? vmaStart(right) : from) + 1, vma, 0, 0);
  if (left != 0) detachVma(cpu, left);
  if (right != 0) detachVma(cpu, right);
}

function continues(left: usize, vma: usize): bool {
  return joinsLeft(left, vmaFlags(vma), load<u32>(vma, V_OBJECT), load<u64>(vma, V_OFFSET), vmaName(vma));
}

function precedes(vma: usize, right: usize): bool {
  return joinsRight(right, vmaFlags(vma), load<u32>(vma, V_OBJECT), vmaEndOffset(vma), vmaName(vma));
}

/** Extends `vma` down to `start`; false when out of memory. */
export function growLocked(cpu: usize, vma: usize, start: u64): bool {
  if (!treeReserve(cpu)) return false;
  const taller = newVma(cpu, start, vmaEnd(vma), vmaFlags(vma), 0, 0, 0);
  if (taller == 0) return false;
  store<u32>(taller, load<u32>(vma, V_NAME), V_NAME);
  vmaStartWrite(cpu, vma);
  joinAnon(taller, vma);
  adopt(cpu, taller);
  treeReplace(cpu, start, vmaStart(vma) + 1, taller, 0, 0);
  detachVma(cpu, vma);
  return true;
}
