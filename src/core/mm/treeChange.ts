/**
 * Changes to the VMA tree: copy the touched path, publish the new root.
 *
 *   treeReplace(from, to, new…)   every VMA that starts in [from, to) goes, up to three new ones come in their place
 *
 *   before   [A][B][C][D]   from = B.start, to = C.start + 1, new = b, c
 *   after    [A][b][c][D]   one store of the root
 *
 * Locks      mmapLock (write). Nodes come from the reserve, filled before anything changed: a change can not fail half-way.
 * Balance    a node splits past 15 children; a node built by this change merges with a neighbour when both fit in 10.
 */
import { Bug } from "../abi/bug";
import { bug } from "../sync/env";
import { defer, R_NEXT } from "../sync/rcu";
import { KIND_NODE } from "./kinds";
import { SLAB_NODE, slabAlloc, slabFree } from "./slab";
import {
  S_CHANGE,
  S_DROPPED,
  S_GENERATION,
  S_RESERVE,
  S_RESERVE_COUNT,
  S_ROOT,
  S_SCRATCH,
  spaceOf,
  treeRoot,
} from "./space";
import {
  childAt,
  childEnd,
  FANOUT,
  N_COUNT,
  N_GAP,
  N_GENERATION,
  N_HI,
  N_LEVEL,
  N_LO,
  nodeCount,
  nodeLevel,
  setChild,
  startAt,
} from "./tree";
import { vmaStart } from "./vma";

/** Nodes that one replacement may need: five a level, eight levels (7^6 > max_map_count). */
const RESERVE: u32 = 40;
const MERGE_BELOW: u32 = 10;
/** Scratch frame: 384 bytes a level: the children under assembly, then the nodes handed up. */
const LEVEL_SCRATCH: u32 = 384;
const NEW_VMAS: usize = 3072;

/** Fills the node reserve; false when out of memory (nothing has changed). */
export function treeReserve(cpu: usize): bool {
  return treeReserveFor(cpu, 1);
}

/** The same for several changes in a row, none of which may fail. */
export function treeReserveFor(cpu: usize, changes: u32): bool {
  while (load<u32>(spaceOf(cpu), S_RESERVE_COUNT) < RESERVE * changes) {
    const node = slabAlloc(cpu, SLAB_NODE);
    if (node == 0) return false;
    putBack(cpu, node);
  }
  return true;
}

/** Gives the reserve back: the space is being taken down. */
export function treeUnreserve(cpu: usize): void {
  while (load<u32>(spaceOf(cpu), S_RESERVE) != 0) slabFree(cpu, SLAB_NODE, takeNode(cpu, 0));
}

function putBack(cpu: usize, node: usize): void {
  store<u32>(node, load<u32>(spaceOf(cpu), S_RESERVE), 12);
  store<u32>(spaceOf(cpu), <u32>node, S_RESERVE);
  store<u32>(spaceOf(cpu), load<u32>(spaceOf(cpu), S_RESERVE_COUNT) + 1, S_RESERVE_COUNT);
}

function takeNode(cpu: usize, level: u32): usize {
  const node = <usize>load<u32>(spaceOf(cpu), S_RESERVE);
  if (node == 0) bug(cpu, Bug.treeReplace_no_node_in_reserve);
  store<u32>(spaceOf(cpu), load<u32>(node, 12), S_RESERVE);
  store<u32>(spaceOf(cpu), load<u32>(spaceOf(cpu), S_RESERVE_COUNT) - 1, S_RESERVE_COUNT);
  store<u32>(node, 0, N_COUNT);
  store<u32>(node, level, N_LEVEL);
  store<u32>(node, load<u32>(spaceOf(cpu), S_GENERATION), N_GENERATION);
  return node;
}

/** A node that the new tree no longer holds: readers may be in it, unless this very change built it. */
function dropNode(cpu: usize, node: usize): void {
  if (load<u32>(node, N_GENERATION) == load<u32>(spaceOf(cpu), S_GENERATION)) {
    slabFree(cpu, SLAB_NODE, node);
    return;
  }
  store<u32>(node, load<u32>(spaceOf(cpu), S_DROPPED), R_NEXT);
  store<u32>(spaceOf(cpu), <u32>node, S_DROPPED);
}

/** Defers the dropped nodes. After the new root is stored: a grace period that began earlier would not cover them. */
function deferDropped(cpu: usize): void {
  let node = <usize>load<u32>(spaceOf(cpu), S_DROPPED);
  store<u32>(spaceOf(cpu), 0, S_DROPPED);
  while (node != 0) {
    const next = <usize>load<u32>(node, R_NEXT);
    defer(cpu, node, KIND_NODE);
    node = next;
  }
}

/** Everything goes: no reader can come to the root any more, but one may still be on the way. */
export function treeClear(cpu: usize): void {
  store<u32>(spaceOf(cpu), load<u32>(spaceOf(cpu), S_GENERATION) + 1, S_GENERATION);
  const root = treeRoot(cpu);
  atomic.store<u32>(spaceOf(cpu), 0, S_ROOT);
  atomic.store<u32>(spaceOf(cpu), atomic.load<u32>(spaceOf(cpu), S_CHANGE) + 1, S_CHANGE);
  if (root != 0) dropSubtree(cpu, root);
  deferDropped(cpu);
}

function dropSubtree(cpu: usize, node: usize): void {
  if (nodeLevel(node) != 0) {
    for (let i: u32 = 0; i < nodeCount(node); i++) dropSubtree(cpu, childAt(node, i));
  }
  dropNode(cpu, node);
}

/** Replaces the VMAs that start in [from, to) by a, b, c (0 = none; in address order), and publishes the result. */
export function treeReplace(cpu: usize, from: u64, to: u64, a: usize, b: usize, c: usize): void {
  store<u32>(spaceOf(cpu), load<u32>(spaceOf(cpu), S_GENERATION) + 1, S_GENERATION);
  const list = <usize>load<u32>(spaceOf(cpu), S_SCRATCH) + NEW_VMAS;
  const n = listVma(list, listVma(list, listVma(list, 0, a), b), c);
  const root = treeRoot(cpu);
  let level: u32 = 0;
  let count: u32;
  let next: usize;
  if (root == 0) {
    for (let i: u32 = 0; i < n; i++) assemble(cpu, 0, i, <usize>load<u32>(list + ((<usize>i) << 2)));
    count = build(cpu, 0, n);
  } else {
    level = nodeLevel(root);
    count = rebuild(cpu, root, from, to, n);
  }
  if (count > 1) {
    for (let i: u32 = 0; i < count; i++) assemble(cpu, level + 1, i, built(cpu, level, i));
    count = build(cpu, level + 1, count);
    level++;
  }
  next = count == 0 ? 0 : built(cpu, level, 0);
  while (next != 0 && nodeLevel(next) != 0 && nodeCount(next) == 1) {
    const only = childAt(next, 0);
    dropNode(cpu, next);
    next = only;
  }
  // Publishes every field of the new nodes and VMAs to whoever loads the root.
  atomic.store<u32>(spaceOf(cpu), <u32>next, S_ROOT);
  atomic.store<u32>(spaceOf(cpu), atomic.load<u32>(spaceOf(cpu), S_CHANGE) + 1, S_CHANGE);
  deferDropped(cpu);
}

/** Appends a VMA, unless there is none, to the new ones; how many there are. */
function listVma(list: usize, n: u32, vma: usize): u32 {
  if (vma == 0) return n;
  store<u32>(list + ((<usize>n) << 2), <u32>vma);
  return n + 1;
}

/** Rebuilds `node` for the replacement; returns how many nodes take its place (built(cpu, level, i)). */
function rebuild(cpu: usize, node: usize, from: u64, to: u64, n: u32): u32 {
  const level = nodeLevel(node);
  const count = nodeCount(node);
  let m: u32 = 0;
  if (level == 0) {
    let i: u32 = 0;
    while (i < count && startAt(node, i) < from) assemble(cpu, 0, m++, childAt(node, i++));
    const list = <usize>load<u32>(spaceOf(cpu), S_SCRATCH) + NEW_VMAS;
    for (let k: u32 = 0; k < n; k++) assemble(cpu, 0, m++, <usize>load<u32>(list + ((<usize>k) << 2)));
    while (i < count && startAt(node, i) < to) i++;
    while (i < count) assemble(cpu, 0, m++, childAt(node, i++));
  } else {
    let first: u32 = 0;
    while (first + 1 < count && startAt(node, first + 1) <= from) first++;
    let last = first;
    while (last + 1 < count && startAt(node, last + 1) < to) last++;
    for (let i: u32 = 0; i < first; i++) assemble(cpu, level, m++, childAt(node, i));
    m = descend(cpu, node, first, from, to, n, level, m);
    for (let i = first + 1; i < last; i++) dropSubtree(cpu, childAt(node, i));
    if (last > first) m = descend(cpu, node, last, from, to, 0, level, m);
    for (let i = last + 1; i < count; i++) assemble(cpu, level, m++, childAt(node, i));
    m = mergeSmall(cpu, level, m);
  }
  dropNode(cpu, node);
  return build(cpu, level, m);
}

function descend(cpu: usize, node: usize, i: u32, from: u64, to: u64, n: u32, level: u32, m: u32): u32 {
  const k = rebuild(cpu, childAt(node, i), from, to, n);
  for (let j: u32 = 0; j < k; j++) assemble(cpu, level, m++, built(cpu, level - 1, j));
  return m;
}

/** Joins a node that this change built with a neighbour when both are small. */
function mergeSmall(cpu: usize, level: u32, m: u32): u32 {
  const generation = load<u32>(spaceOf(cpu), S_GENERATION);
  let i: u32 = 0;
  while (i + 1 < m) {
    const a = assembled(cpu, level, i);
    const b = assembled(cpu, level, i + 1);
    const fresh = load<u32>(a, N_GENERATION) == generation || load<u32>(b, N_GENERATION) == generation;
    if (!fresh || nodeCount(a) + nodeCount(b) > MERGE_BELOW) {
      i++;
      continue;
    }
    const node = takeNode(cpu, level - 1);
    let k: u32 = 0;
    for (let j: u32 = 0; j < nodeCount(a); j++) setChild(node, k++, childAt(a, j), startAt(a, j));
    for (let j: u32 = 0; j < nodeCount(b); j++) setChild(node, k++, childAt(b, j), startAt(b, j));
    store<u32>(node, k, N_COUNT);
    summarize(node);
    dropNode(cpu, a);
    dropNode(cpu, b);
    assemble(cpu, level, i, node);
    for (let j = i + 1; j + 1 < m; j++) assemble(cpu, level, j, assembled(cpu, level, j + 1));
    m--;
  }
  return m;
}

function assemble(cpu: usize, level: u32, i: u32, child: usize): void {
  store<u32>(<usize>load<u32>(spaceOf(cpu), S_SCRATCH) + <usize>level * LEVEL_SCRATCH + ((<usize>i) << 2), <u32>child);
}

function assembled(cpu: usize, level: u32, i: u32): usize {
  return <usize>load<u32>(<usize>load<u32>(spaceOf(cpu), S_SCRATCH) + <usize>level * LEVEL_SCRATCH + ((<usize>i) << 2));
}

function built(cpu: usize, level: u32, i: u32): usize {
  return <usize>(
    load<u32>(<usize>load<u32>(spaceOf(cpu), S_SCRATCH) + <usize>level * LEVEL_SCRATCH + 256 + ((<usize>i) << 2))
  );
}

/** Makes nodes of the m assembled children of `level`: none, one, or two halves. */
function build(cpu: usize, level: u32, m: u32): u32 {
  if (m == 0) return 0;
  const nodes: u32 = m > FANOUT ? 2 : 1;
  let at: u32 = 0;
  for (let k: u32 = 0; k < nodes; k++) {
    const node = takeNode(cpu, level);
    const upTo = k + 1 == nodes ? m : m >> 1;
    let c: u32 = 0;
    while (at < upTo) {
      const child = assembled(cpu, level, at++);
      setChild(node, c++, child, level == 0 ? vmaStart(child) : load<u64>(child, N_LO));
    }
    store<u32>(node, c, N_COUNT);
    summarize(node);
    store<u32>(
      <usize>load<u32>(spaceOf(cpu), S_SCRATCH) + <usize>level * LEVEL_SCRATCH + 256 + ((<usize>k) << 2),
      <u32>node,
    );
  }
  return nodes;
}

/** Sets lo, hi and gap from the children. */
function summarize(node: usize): void {
  const n = nodeCount(node);
  const level = nodeLevel(node);
  let gap: u64 = 0;
  for (let i: u32 = 0; i < n; i++) {
    if (level != 0) {
      const inner = load<u64>(childAt(node, i), N_GAP);
      if (inner > gap) gap = inner;
    }
    if (i + 1 < n) {
      const hole = startAt(node, i + 1) - childEnd(node, i);
      if (hole > gap) gap = hole;
    }
  }
  store<u64>(node, startAt(node, 0), N_LO);
  store<u64>(node, childEnd(node, n - 1), N_HI);
  store<u64>(node, gap, N_GAP);
}
