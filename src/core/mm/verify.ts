/**
 * Whole-structure checks: what must hold whenever no operation is under way. Tests call it after each step.
 *
 * Returns 0, or the Bug of the first broken invariant. Holds no lock: nothing else may run.
 *   1 the VMA tree: sorted, disjoint, bounds and gaps right, nothing detached, the count equal
 *   2 the tables: parent and address right, none dead, none locked, `used` equal to the entries, none empty outside VMAs
 *   3 the entries: inside a VMA, within its rights, the zero page and a shared private page never writable, an object's page its own
 *   4 conservation: free + mapped + cached + tables + slabs + fixed = all, once deferred records are drained; the references of
 *     every page are those that entries and caches hold
 *   5 the TLBs: every translation is what the table says
 */
import { Bug } from "../abi/bug";
import { C_ONLINE, cpuArea, cpusSeen } from "../sync/cpu";
import { H_FIRST_FRAME, H_FRAMES } from "../sync/layout";
import { isLocked } from "../sync/spinlock";
import { F_EXEC, F_PHYS, FETCH_ENTRIES, fetchEntry, T_PHYS, T_READ, T_WRITE, TLB_ENTRIES, tlbEntry } from "../sync/tlb";
import { frameIn, isStillCached, nextCached, slotOf } from "./cache";
import {
  CACHED,
  D_LEVEL,
  D_LOCK,
  D_PARENT,
  D_REFS,
  D_TYPE,
  D_VA,
  descriptor,
  freeFrameCount,
  frontierFrame,
  isCachedPage,
  isSolePage,
  TYPE_DATA,
  TYPE_FREE,
  TYPE_TABLE,
} from "./frame";
import { nextSpace } from "./lifecycle";
import { nextObject, O_REFS } from "./object";
import {
  entryAt,
  entrySpan,
  isMarker,
  LEVELS,
  PTE_D,
  PTE_HELD,
  PTE_RIGHTS,
  PTE_V,
  PTE_W,
  PTE_X,
  ptePhys,
  rightsOf,
} from "./pte";
import { isZeroFrame } from "./serve";
import { enterSpace, MMAP_LOCK, pgd, S_LOCKED_VM, S_MAP_COUNT, S_PGD, S_TOTAL_VM, spaceOf, treeRoot } from "./space";
import { isDead, usedLocked } from "./table";
import { childAt, childEnd, find, findEndingAbove, N_GAP, N_HI, N_LO, nodeCount, nodeLevel, startAt } from "./tree";
import { isDetached, PROT_MASK, pageIndex, V_RECORD, VM_LOCKED, VM_SHARED, vmaEnd, vmaFlags, vmaStart } from "./vma";
import { walkLeaf } from "./walk";

export function verifySpace(cpu: usize): u32 {
  const home = spaceOf(cpu);
  let bug: u32 = 0;
  clearSeen();
  for (let space = nextSpace(0); space != 0 && bug == 0; space = nextSpace(space)) {
    enterSpace(cpu, space);
    if (load<u32>(space, S_PGD) != 0) bug = verifyOne(cpu);
  }
  enterSpace(cpu, home);
  if (bug != 0) return bug;
  bug = verifyFrames();
  if (bug != 0) return bug;
  const n = cpusSeen();
  for (let i: u32 = 0; i < n; i++) {
    bug = verifyTlb(cpuArea(i));
    if (bug != 0) return bug;
  }
  return 0;
}

function verifyOne(cpu: usize): u32 {
  if (atomic.load<u32>(spaceOf(cpu), MMAP_LOCK) != 0) return Bug.verify_mmapLock_held_at_rest;
  const bug = verifyTree(cpu);
  return bug != 0 ? bug : verifyTable(cpu, pgd(cpu), LEVELS - 1, 0, 0);
}

function verifyTree(cpu: usize): u32 {
  const root = treeRoot(cpu);
  if (root == 0) return load<u32>(spaceOf(cpu), S_MAP_COUNT) == 0 ? 0 : Bug.verify_vmas_out_of_order_or_overlapping;
  const bug = verifyNode(root);
  if (bug != 0) return bug;
  let n: u32 = 0;
  let end: u64 = 0;
  let pages: u64 = 0;
  let locked: u64 = 0;
  let vma = findEndingAbove(root, 0);
  while (vma != 0) {
    pages += (vmaEnd(vma) - vmaStart(vma)) >> 12;
    if ((vmaFlags(vma) & VM_LOCKED) != 0) locked += (vmaEnd(vma) - vmaStart(vma)) >> 12;
    if (vmaStart(vma) < end || vmaEnd(vma) <= vmaStart(vma)) return Bug.verify_vmas_out_of_order_or_overlapping;
    if (isDetached(vma)) return Bug.verify_vma_in_tree_is_detached;
    const record = <usize>load<u32>(vma, V_RECORD);
    if (record != 0 && atomic.load<u32>(record, O_REFS) == 0) return Bug.verify_object_references_do_not_add_up;
    end = vmaEnd(vma);
    n++;
    vma = findEndingAbove(root, end);
  }
  if (n != load<u32>(spaceOf(cpu), S_MAP_COUNT)) return Bug.verify_vmas_out_of_order_or_overlapping;
  if (<u32>pages != load<u32>(spaceOf(cpu), S_TOTAL_VM)) return Bug.verify_page_counts_of_a_space_do_not_add_up;
  return <u32>locked == load<u32>(spaceOf(cpu), S_LOCKED_VM) ? 0 : Bug.verify_page_counts_of_a_space_do_not_add_up;
}

function verifyNode(node: usize): u32 {
  const n = nodeCount(node);
  const level = nodeLevel(node);
  let gap: u64 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const child = childAt(node, i);
    const start = level == 0 ? vmaStart(child) : load<u64>(child, N_LO);
    if (startAt(node, i) != start) return Bug.verify_tree_bounds_do_not_match_children;
    if (level != 0) {
      if (nodeLevel(child) != level - 1) return Bug.verify_tree_bounds_do_not_match_children;
      const bug = verifyNode(child);
      if (bug != 0) return bug;
      if (load<u64>(child, N_GAP) > gap) gap = load<u64>(child, N_GAP);
    }
    if (i + 1 < n) {
      if (startAt(node, i + 1) < childEnd(node, i)) return Bug.verify_vmas_out_of_order_or_overlapping;
      if (startAt(node, i + 1) - childEnd(node, i) > gap) gap = startAt(node, i + 1) - childEnd(node, i);
    }
  }
  if (n == 0 || load<u64>(node, N_LO) != startAt(node, 0) || load<u64>(node, N_HI) != childEnd(node, n - 1)) {
    return Bug.verify_tree_bounds_do_not_match_children;
  }
  return load<u64>(node, N_GAP) == gap ? 0 : Bug.verify_gap_of_a_tree_node_is_wrong;
}

function verifyTable(cpu: usize, table: usize, level: u32, va: u64, parent: usize): u32 {
  const d = descriptor(table);
  if (load<u32>(d, D_TYPE) != TYPE_TABLE) return Bug.verify_table_in_a_frame_that_is_not_one;
  if (isDead(table)) return Bug.verify_table_is_dead_but_reachable;
  if (isLocked(d + D_LOCK)) return Bug.verify_table_lock_held_at_rest;
  if (load<u32>(d, D_PARENT) != <u32>parent || load<u64>(d, D_VA) != va) return Bug.verify_table_parent_is_wrong;
  const span = entrySpan(level);
  let used: u32 = 0;
  for (let i: u64 = 0; i < 512; i++) {
    const at = va + i * span;
    const entry = load<u64>(entryAt(table, at, level));
    if (entry == 0) continue;
    used++;
    const bug = level == 0 ? verifyEntry(cpu, entry, at) : verifyTable(cpu, ptePhys(entry), level - 1, at, table);
    if (bug != 0) return bug;
  }
  if (used != usedLocked(table)) return Bug.verify_table_count_differs_from_its_entries;
  if (used == 0 && level != LEVELS - 1) {
    const vma = findEndingAbove(treeRoot(cpu), va);
    if (vma == 0 || vmaStart(vma) >= va + span * 512) return Bug.verify_empty_table_outside_vmas;
  }
  return 0;
}

function verifyEntry(cpu: usize, entry: u64, va: u64): u32 {
  const vma = find(treeRoot(cpu), va);
  if (vma == 0) return Bug.verify_present_entry_outside_a_vma;
  if (isMarker(entry)) return 0;
  const rights = rightsOf(vmaFlags(vma) & PROT_MASK);
  if ((entry & PTE_RIGHTS & ~rights & ~PTE_HELD) != 0) return Bug.verify_entry_grants_more_than_its_vma;
  if (isZeroFrame(entry)) return (entry & PTE_W) != 0 ? Bug.verify_zero_page_is_writable : 0;
  const frame = ptePhys(entry);
  const d = descriptor(frame);
  if (load<u32>(d, D_TYPE) != TYPE_DATA) return Bug.verify_frame_mapped_but_not_in_use;
  if ((entry & PTE_W) != 0 && (vmaFlags(vma) & VM_SHARED) == 0 && !isSolePage(frame)) {
    return Bug.verify_writable_entry_of_a_shared_page;
  }
  store<u32>(d, load<u32>(d, SEEN) + 1, SEEN);
  return verifyObjectPage(vma, va, frame);
}

/** A page of an object's mapping that is not a private copy is the one that the cache has. */
function verifyObjectPage(vma: usize, va: u64, frame: usize): u32 {
  const record = <usize>load<u32>(vma, V_RECORD);
  if (!isCachedPage(frame))
    return record != 0 && (vmaFlags(vma) & VM_SHARED) != 0 ? Bug.verify_mapped_page_is_not_the_objects : 0;
  if (record == 0 || !isStillCached(record, pageIndex(vma, va), frame))
    return Bug.verify_mapped_page_is_not_the_objects;
  return 0;
}

/** In a frame of data, whose word only page tables use else: references found so far. */
const SEEN: usize = D_LEVEL;

function clearSeen(): void {
  const end = frontierFrame();
  for (let frame = load<u32>(H_FIRST_FRAME); frame < end; frame++) {
    const d = descriptor((<usize>frame) << 12);
    if (load<u32>(d, D_TYPE) == TYPE_DATA) store<u32>(d, 0, SEEN);
  }
}

/** Every page has as many references as entries and caches lead to it; free frames and used ones add up. */
function verifyFrames(): u32 {
  for (let o = nextObject(0); o != 0; o = nextObject(o)) {
    for (let i = nextCached(o, 0, 0xffff_ffff, 0); i != 0xffff_ffff; i = nextCached(o, i + 1, 0xffff_ffff, 0)) {
      const d = descriptor(frameIn(atomic.load<u32>(slotOf(o, i))));
      if (load<u32>(d, D_TYPE) != TYPE_DATA) return Bug.verify_frame_mapped_but_not_in_use;
      store<u32>(d, load<u32>(d, SEEN) + 1, SEEN);
    }
  }
  const end = frontierFrame();
  let used: u32 = 0;
  for (let frame = load<u32>(H_FIRST_FRAME); frame < end; frame++) {
    const d = descriptor((<usize>frame) << 12);
    const type = load<u32>(d, D_TYPE);
    if (type > TYPE_FREE) used++;
    const refs = atomic.load<u32>(d, D_REFS) & ~CACHED;
    if (type == TYPE_DATA ? refs == 0 || refs != load<u32>(d, SEEN) : refs != 0) {
      return Bug.verify_references_of_a_page_do_not_add_up;
    }
  }
  return used + freeFrameCount() == load<u32>(H_FRAMES) ? 0 : Bug.verify_frames_do_not_add_up;
}

/** One that is offline, or has flushes queued, drops all before it reads anything: its TLB is not judged. */
function verifyTlb(cpu: usize): u32 {
  if (load<u32>(cpu, C_ONLINE) == 0 || (atomic.load<u32>(cpu) & 1) != 0) return 0;
  for (let i: u32 = 0; i < TLB_ENTRIES; i++) {
    const e = tlbEntry(cpu, (<u64>i) << 12);
    const read = load<u64>(e, T_READ);
    const write = load<u64>(e, T_WRITE);
    const phys = load<u32>(e, T_PHYS);
    if (read != NONE && !matches(cpu, read, phys, 0)) return Bug.verify_tlb_entry_without_page_table_entry;
    if (write != NONE && !matches(cpu, write, phys, PTE_W | PTE_D))
      return Bug.verify_tlb_entry_without_page_table_entry;
  }
  for (let i: u32 = 0; i < FETCH_ENTRIES; i++) {
    const f = fetchEntry(cpu, (<u64>i) << 12);
    const exec = load<u64>(f, F_EXEC);
    if (exec != NONE && !matches(cpu, exec, load<u32>(f, F_PHYS), PTE_X))
      return Bug.verify_tlb_entry_without_page_table_entry;
  }
  return 0;
}

const NONE: u64 = 0xffff_ffff_ffff_ffff;

function matches(cpu: usize, va: u64, phys: u32, rights: u64): bool {
  const leaf = walkLeaf(cpu, va);
  if (leaf == 0) return false;
  const entry = load<u64>(entryAt(leaf, va, 0));
  return (entry & PTE_V) != 0 && ptePhys(entry) == <usize>phys && (entry & rights) == rights;
}
