/**
 * fork(2)'s half of the memory: a copy of the CPU's space that shares its pages until one of the two writes.
 *
 * Promise    every page of the copy is the parent's as it was at one moment between call and return; no store that the parent
 *            makes after the return is seen in it. Costs what the tables cost: no page is copied here.
 * Algorithm  mmapLock (write) of the parent. For each VMA: its copy enters the child's tree. Then, table by table, both leaf
 *            locks held: each private page's entry loses the right to write, the child gets it with one more reference.
 *            At the end one flush of the parent. Then the child is told to nobody but the caller.
 *   not copied   pages of objects: the child's faults find them in the cache. DONTCOPY: no VMA; WIPEONFORK: an empty one.
 *   guard markers and held entries (PROT_NONE) are copied as they are, but for the right to write.
 * Race       a fault in the parent that writes: cow.ts. It copies only after a flush of its own, so it loses no store, whether
 *            this call has flushed or not.
 *            | fork                                | fault: a fresh page in the parent
 *            | lock leaf; copy entries; unlock     | lock leaf; set; unlock
 *            Whichever is first: the child has the page as it was when the leaf was locked.
 * Order      of what one thread of the parent stores, the child has a beginning: once a store is not the child's, the thread's
 *            later ones are not either. A store is not the child's when it needs a fault here, to a page that was copied or
 *            to a fresh one; so while copying is 1 no fault commits (commit.ts): it waits for mmapLock. Programs rely on it: the
 *            child's C library walks lists that another thread was changing (Linux holds mmap_lock, and each VMA's lock).
 *            | fork                                | fault
 *            | copying = 1; lock leaf; copy        | lock leaf; copying? yes → mmapLock
 *            A fault that read 0 under the leaf's lock committed before this leaf was copied: the child has the page.
 * Truncation of an object the child maps: its VMA is among the object's mappings before an entry is copied; a private page past the
 *            end is left out under the lock that who trims must take (truncate.ts).
 * Locks      mmapLock (write) of the parent; leaf locks of parent, then child. The child's mmapLock is not needed: what can
 *            reach it is only the reverse maps.
 * Failed     what there is of the child is taken down; the parent has lost rights that the next write brings back.
 * Linux      kernel/fork.c:dup_mmap; mm/memory.c:copy_page_range
 */
import { Counter } from "../abi/counter";
import { Errno } from "../abi/errno";
import { drainDeferred } from "./deferred";
import { getPage, isCachedPage } from "./frame";
import { newSpace, putSpace } from "./lifecycle";
import { copyLimits } from "./limits";
import { adopt } from "./mapping";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { O_SIZE } from "./object";
import { Outcome } from "./outcome";
import { count } from "./percpu";
import { entryAt, entrySpan, isMarker, LEVELS, PTE_A, PTE_D, PTE_V, PTE_W, ptePhys, TASK_SIZE } from "./pte";
import { reclaim } from "./reclaim";
import { isZeroFrame } from "./serve";
import { shootRange } from "./shootdown";
import {
  enterSpace,
  pgd,
  S_BRK,
  S_BRK_START,
  S_COPYING,
  S_LOCK_SEQ,
  S_MEMBARRIER,
  S_STACK_START,
  spaceOf,
  treeRoot,
} from "./space";
import { addUsedLocked, lockTable, unlockTable, usedLocked } from "./table";
import { findEndingAbove } from "./tree";
import { treeReplace, treeReserve } from "./treeChange";
import {
  cutVma,
  pageIndex,
  V_OBJECT,
  V_RECORD,
  VM_DONTCOPY,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_SHARED,
  VM_WIPEONFORK,
  vmaEnd,
  vmaFlags,
  vmaStart,
} from "./vma";
import { vmaStartWrite } from "./vmaLock";
import { ensureTables, walkLeaf } from "./walk";

/** Memory that comes back may be no more than what the attempt before gave up. */
const ATTEMPTS: u32 = 3;

/** The copy's address, or -ENOMEM. The CPU is in its own space, holds no lock and is in no reader section. */
export function forkSpace(cpu: usize): i64 {
  for (let attempt: u32 = 0; attempt < ATTEMPTS; attempt++) {
    const child = newSpace(cpu);
    if (child != 0 && copyInto(cpu, <usize>child)) {
      count(cpu, Counter.Forks);
      drainDeferred(cpu);
      return <i64>child;
    }
    if (child != 0) putSpace(cpu, <usize>child);
    if (!reclaim(cpu)) break;
  }
  return -Errno.ENOMEM;
}

/** True when all was copied. */
function copyInto(cpu: usize, child: usize): bool {
  const parent = spaceOf(cpu);
  mmapWriteLock(cpu);
  atomic.store<u32>(parent, 1, S_COPYING);
  copyLimits(parent, child);
  store<u64>(child, load<u64>(parent, S_BRK_START), S_BRK_START);
  store<u64>(child, load<u64>(parent, S_BRK), S_BRK);
  store<u64>(child, load<u64>(parent, S_STACK_START), S_STACK_START);
  atomic.store<u32>(child, atomic.load<u32>(parent, S_MEMBARRIER), S_MEMBARRIER);
  let whole: bool = true;
  let vma = findEndingAbove(treeRoot(cpu), 0);
  while (vma != 0 && whole) {
    vmaStartWrite(cpu, vma);
    whole = (vmaFlags(vma) & VM_DONTCOPY) != 0 || copyVma(cpu, child, vma);
    vma = findEndingAbove(treeRoot(cpu), vmaEnd(vma));
  }
  shootRange(cpu, 0, TASK_SIZE);
  atomic.store<u32>(parent, 0, S_COPYING);
  // Its VMAs were made write-locked, as in a change of the map that ends here (vmaLock.ts).
  atomic.add<u32>(child, 1, S_LOCK_SEQ);
  mmapWriteUnlock(cpu);
  return whole;
}

function copyVma(cpu: usize, child: usize, vma: usize): bool {
  const parent = enterSpace(cpu, child);
  let copy: usize = 0;
  if (treeReserve(cpu)) {
    const flags = vmaFlags(vma) & ~(VM_LOCKED | VM_LOCKONFAULT);
    copy = cutVma(cpu, vma, vmaStart(vma), vmaEnd(vma), flags);
    if (copy != 0) {
      adopt(cpu, copy);
      treeReplace(cpu, vmaStart(vma), vmaStart(vma) + 1, copy, 0, 0);
    }
  }
  enterSpace(cpu, parent);
  if (copy == 0) return false;
  if ((vmaFlags(vma) & (VM_SHARED | VM_WIPEONFORK)) != 0) return true;
  return copyTables(cpu, pgd(cpu), LEVELS - 1, child, vma, copy, vmaStart(vma), vmaEnd(vma));
}

/** Copies what lies below `table` of the parent within [start, end); false without memory for a table. */
function copyTables(
  cpu: usize,
  table: usize,
  level: u32,
  child: usize,
  vma: usize,
  copy: usize,
  start: u64,
  end: u64,
): bool {
  const span = entrySpan(level);
  let va = start;
  while (va < end) {
    const next = (va & ~(span - 1)) + span;
    const upTo = next < end ? next : end;
    const entry = atomic.load<u64>(entryAt(table, va, level));
    if ((entry & PTE_V) != 0) {
      const below = ptePhys(entry);
      const done =
        level == 1
          ? copyLeaf(cpu, below, child, vma, copy, va, upTo)
          : copyTables(cpu, below, level - 1, child, vma, copy, va, upTo);
      if (!done) return false;
    }
    va = next;
  }
  return true;
}

function copyLeaf(cpu: usize, leaf: usize, child: usize, vma: usize, copy: usize, start: u64, end: u64): bool {
  // Empty just now: what comes later came after the moment at which the child has this table's pages.
  if (isEmpty(cpu, leaf)) return true;
  const parent = enterSpace(cpu, child);
  const there = ensureTables(cpu, copy, start) == <u32>Outcome.Done;
  const target: usize = there ? walkLeaf(cpu, start) : 0;
  enterSpace(cpu, parent);
  if (target == 0) return false;
  lockTable(cpu, leaf);
  lockTable(cpu, target);
  let left = usedLocked(leaf);
  let copied: i32 = 0;
  for (let va = start; va < end && left != 0; va += 4096) {
    const slot = entryAt(leaf, va, 0);
    const seen = atomic.load<u64>(slot);
    if (seen == 0) continue;
    left--;
    if (copyEntry(slot, seen, entryAt(target, va, 0), vma, va)) copied++;
  }
  addUsedLocked(target, copied);
  unlockTable(cpu, target);
  unlockTable(cpu, leaf);
  return true;
}

function isEmpty(cpu: usize, leaf: usize): bool {
  lockTable(cpu, leaf);
  const empty = usedLocked(leaf) == 0;
  unlockTable(cpu, leaf);
  return empty;
}

/** Both tables locked. False: the page is not the child's; its faults find it. */
function copyEntry(slot: usize, seen: u64, target: usize, vma: usize, va: u64): bool {
  const frame = ptePhys(seen);
  if (!isMarker(seen) && !isZeroFrame(seen)) {
    if (isCachedPage(frame)) return false;
    if (load<u32>(vma, V_OBJECT) != 0 && pastEnd(vma, va)) return false;
    getPage(frame);
    takeWrite(slot, seen);
  }
  atomic.store<u64>(target, seen & ~(PTE_W | PTE_A | PTE_D));
  return true;
}

/** Harts set A and D meanwhile; nothing else changes the entry while its table is locked. */
function takeWrite(slot: usize, seen: u64): void {
  let entry = seen;
  while ((entry & PTE_W) != 0) {
    const found = atomic.cmpxchg<u64>(slot, entry, entry & ~PTE_W);
    if (found == entry) return;
    entry = found;
  }
}

function pastEnd(vma: usize, va: u64): bool {
  return (<u64>pageIndex(vma, va)) << 12 >= atomic.load<u64>(<usize>load<u32>(vma, V_RECORD), O_SIZE);
}
