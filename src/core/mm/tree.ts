/**
 * The VMA tree, searched without a lock while it changes.
 *
 * Idea       a B-tree whose nodes never change. A writer copies the path it touches and publishes the new root with one
 *            atomic store; a reader that began at the old root sees the old tree, whole. Replaced nodes and VMAs are
 *            deferred (RCU).
 * Promise    one store makes a whole replacement visible: no reader sees a gap that was never there.
 *
 *    0        12    16    20         24   32   40    48          112
 *   ┌────────┬─────┬─────┬──────────┬────┬────┬─────┬───────────┬───────────┐
 *   │rcu head│count│level│generation│ lo │ hi │ gap │child ×15  │start ×15  │  256 bytes
 *   └────────┴─────┴─────┴──────────┴────┴────┴─────┴───────────┴───────────┘
 *   lo, hi     first start and last end below; gap: the largest hole between two VMAs below, bytes
 *   generation the change that built the node: it may be freed at once if the same change replaces it
 *
 * Written here: search. Changes are in treeChange.ts.
 */
import { STACK_GUARD } from "./space";
import { VM_GROWSDOWN, vmaEnd, vmaFlags, vmaStart } from "./vma";

export const NODE_BYTES: u32 = 256;
export const FANOUT: u32 = 15;
export const N_COUNT: usize = 12;
export const N_LEVEL: usize = 16;
export const N_GENERATION: usize = 20;
export const N_LO: usize = 24;
export const N_HI: usize = 32;
export const N_GAP: usize = 40;
const N_CHILDREN: usize = 48;
const N_STARTS: usize = 112;

export function nodeCount(node: usize): u32 {
  return load<u32>(node, N_COUNT);
}

export function nodeLevel(node: usize): u32 {
  return load<u32>(node, N_LEVEL);
}

export function childAt(node: usize, i: u32): usize {
  return <usize>load<u32>(node + ((<usize>i) << 2), N_CHILDREN);
}

export function startAt(node: usize, i: u32): u64 {
  return load<u64>(node + ((<usize>i) << 3), N_STARTS);
}

export function setChild(node: usize, i: u32, child: usize, start: u64): void {
  store<u32>(node + ((<usize>i) << 2), <u32>child, N_CHILDREN);
  store<u64>(node + ((<usize>i) << 3), start, N_STARTS);
}

/** First address past child i. */
export function childEnd(node: usize, i: u32): u64 {
  const child = childAt(node, i);
  return nodeLevel(node) == 0 ? vmaEnd(child) : load<u64>(child, N_HI);
}

/** The VMA that contains va, or 0. */
export function find(root: usize, va: u64): usize {
  let node = root;
  if (node == 0) return 0;
  while (true) {
    let i = nodeCount(node);
    while (i > 0 && startAt(node, i - 1) > va) i--;
    if (i == 0) return 0;
    const child = childAt(node, i - 1);
    if (nodeLevel(node) == 0) return va < vmaEnd(child) ? child : 0;
    node = child;
  }
}

/** The lowest VMA that ends above va (it may contain va), or 0. */
export function findEndingAbove(root: usize, va: u64): usize {
  let node = root;
  if (node == 0 || load<u64>(node, N_HI) <= va) return 0;
  while (true) {
    let i: u32 = 0;
    while (childEnd(node, i) <= va) i++;
    const child = childAt(node, i);
    if (nodeLevel(node) == 0) return child;
    node = child;
  }
}

/** The highest VMA that starts below va, or 0. */
export function findStartingBelow(root: usize, va: u64): usize {
  let node = root;
  if (node == 0 || load<u64>(node, N_LO) >= va) return 0;
  while (true) {
    let i = nodeCount(node);
    while (startAt(node, i - 1) >= va) i--;
    const child = childAt(node, i - 1);
    if (nodeLevel(node) == 0) return child;
    node = child;
  }
}

/** Where a VMA's claim on the space below it begins: a stack that grows keeps its guard gap. */
function claimStart(vma: usize): u64 {
  const start = vmaStart(vma);
  if ((vmaFlags(vma) & VM_GROWSDOWN) == 0) return start;
  return start > STACK_GUARD ? start - STACK_GUARD : 0;
}

/**
 * The highest address of a hole of `length` bytes within [low, high), or 0. mmapLock held.
 * Linux: mm/mmap.c:unmapped_area_topdown.
 */
export function findGap(root: usize, length: u64, low: u64, high: u64): u64 {
  if (high < low || high - low < length) return 0;
  if (root == 0) return high - length;
  if (load<u64>(root, N_HI) < high) {
    const above = load<u64>(root, N_HI) > low ? load<u64>(root, N_HI) : low;
    if (high - above >= length) return high - length;
  }
  const found = gapBelow(root, length, low, high);
  if (found != 0) return found;
  const lowest = findEndingAbove(root, 0);
  const top = claimStart(lowest) < high ? claimStart(lowest) : high;
  return top >= low && top - low >= length ? top - length : 0;
}

/** The same among the holes between the VMAs below `node`. */
function gapBelow(node: usize, length: u64, low: u64, high: u64): u64 {
  if (load<u64>(node, N_GAP) < length) return 0;
  const level = nodeLevel(node);
  for (let i = nodeCount(node); i > 0; i--) {
    const child = childAt(node, i - 1);
    if (level != 0) {
      const inside = gapBelow(child, length, low, high);
      if (inside != 0) return inside;
    }
    if (i == 1) break;
    const bottom = childEnd(node, i - 2) > low ? childEnd(node, i - 2) : low;
    const first = level == 0 ? child : findEndingAbove(child, 0);
    const top = claimStart(first) < high ? claimStart(first) : high;
    if (top > bottom && top - bottom >= length) return top - length;
  }
  return 0;
}
