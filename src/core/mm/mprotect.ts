/**
 * mprotect(2): replaces each VMA of the range by one with the new protection, splitting and merging, and takes rights
 * away from the entries that had them.
 *
 * Promise    after return no hart uses a right that was taken away. Rights given come with the next fault.
 * Algorithm  for each VMA: publish the replacement, mark the old one detached, change its entries under each table's
 *            lock, gather; one shootdown at the end if any right went.
 * Order      a permission-only change publishes first (design protocol 3). A fault that looked up the old VMA fails its
 *            commit; a fault that looks up the new one installs no more than the new rights.
 * Locks      takes mmapLock (write)
 * Errnos     EINVAL unaligned start, unknown protection; ENOMEM a hole in the range (what lies before it is changed), or
 *            no memory for a split
 * Linux      mm/mprotect.c:do_mprotect_pkey, mprotect_fixup
 */

import { Counter } from "../abi/counter";
import { Errno } from "../abi/errno";
import { Prot } from "../abi/mman";
import { drainDeferred } from "./deferred";
import { gatherBegin, gatherFlush, gatherPage } from "./gather";
import { adopt, detachVma, discardVma, mergesWith } from "./mapping";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { count } from "./percpu";
import { entryAt, PTE_HELD, PTE_RIGHTS, PTE_V, PTE_W, rightsOf, TASK_SIZE } from "./pte";
import { isZeroFrame } from "./serve";
import { MAX_MAP_COUNT, S_MAP_COUNT, spaceOf, treeRoot } from "./space";
import { lockTable, unlockTable } from "./table";
import { findEndingAbove, findStartingBelow } from "./tree";
import { treeReplace, treeReserve } from "./treeChange";
import {
  cutVma,
  joinAnon,
  mergeable,
  newVma,
  PROT_MASK,
  V_OBJECT,
  V_OFFSET,
  V_RECORD,
  vmaEnd,
  vmaFlags,
  vmaStart,
} from "./vma";
import { vmaStartWrite } from "./vmaLock";
import { walkLeaf } from "./walk";

export function sysMprotect(cpu: usize, addr: u64, length: u64, prot: u32): i64 {
  count(cpu, Counter.Mprotects);
  if ((addr & 4095) != 0) return -Errno.EINVAL;
  if (length == 0) return 0;
  const bytes = (length + 4095) & ~(<u64>4095);
  if (addr > TASK_SIZE || length > TASK_SIZE - addr) return -Errno.ENOMEM;
  if ((prot & ~PROT_MASK) != 0) return -Errno.EINVAL;
  mmapWriteLock(cpu);
  const result = protectLocked(cpu, addr, addr + bytes, prot & (Prot.Read | Prot.Write | Prot.Exec));
  mmapWriteUnlock(cpu);
  drainDeferred(cpu);
  return <i64>result;
}

function protectLocked(cpu: usize, start: u64, end: u64, prot: u32): i32 {
  let at = start;
  let result = 0;
  gatherBegin(cpu);
  while (at < end && result == 0) {
    const vma = findEndingAbove(treeRoot(cpu), at);
    if (vma == 0 || vmaStart(vma) > at) {
      result = -Errno.ENOMEM;
      break;
    }
    const upTo = vmaEnd(vma) < end ? vmaEnd(vma) : end;
    const flags = (vmaFlags(vma) & ~PROT_MASK) | prot;
    if (flags != vmaFlags(vma)) result = replaceLocked(cpu, vma, at, upTo, flags);
    if (result == 0) changeEntries(cpu, at, upTo, rightsOf(prot));
    at = upTo;
  }
  gatherFlush(cpu);
  return result;
}

/**
 * Gives [start, end) of `vma` the new flags.
 *
 *   before   [left][......vma......][right]
 *   after    [left][head][mid][tail][right]   mid joins left, or right, where the flags agree and no piece is between
 */
function replaceLocked(cpu: usize, vma: usize, start: u64, end: u64, flags: u32): i32 {
  if (load<u32>(spaceOf(cpu), S_MAP_COUNT) + 2 > MAX_MAP_COUNT || !treeReserve(cpu)) return -Errno.ENOMEM;
  const root = treeRoot(cpu);
  const object = load<u32>(vma, V_OBJECT);
  const offset = load<u64>(vma, V_OFFSET) + (start - vmaStart(vma));
  const hasHead = vmaStart(vma) < start;
  const hasTail = vmaEnd(vma) > end;
  let left: usize = hasHead ? 0 : findStartingBelow(root, start);
  if (left != 0 && (vmaEnd(left) != start || !mergeable(left, flags, object, offset))) left = 0;
  let right: usize = hasTail ? 0 : findEndingAbove(root, end);
  if (right != 0 && (vmaStart(right) != end || !mergesWith(flags, object, offset + (end - start), right))) right = 0;
  const from = left != 0 ? vmaStart(left) : start;
  const upTo = right != 0 ? vmaEnd(right) : end;
  const midOffset = left != 0 ? load<u64>(left, V_OFFSET) : offset;
  const mid = newVma(cpu, from, upTo, flags, object, midOffset, <usize>load<u32>(vma, V_RECORD));
  const head: usize = hasHead ? cutVma(cpu, vma, vmaStart(vma), start, vmaFlags(vma)) : 0;
  const tail: usize = hasTail ? cutVma(cpu, vma, end, vmaEnd(vma), vmaFlags(vma)) : 0;
  if (mid == 0 || (hasHead && head == 0) || (hasTail && tail == 0)) {
    discardVma(cpu, mid);
    discardVma(cpu, head);
    discardVma(cpu, tail);
    return -Errno.ENOMEM;
  }
  if (left != 0) {
    vmaStartWrite(cpu, left);
    joinAnon(mid, left);
  }
  if (right != 0) {
    vmaStartWrite(cpu, right);
    joinAnon(mid, right);
  }
  vmaStartWrite(cpu, vma);
  joinAnon(mid, vma);
  const first: usize = left != 0 ? left : vma;
  const last: usize = right != 0 ? right : vma;
  adopt(cpu, head);
  adopt(cpu, mid);
  adopt(cpu, tail);
  if (head != 0) treeReplace(cpu, vmaStart(first), vmaStart(last) + 1, head, mid, tail);
  else treeReplace(cpu, vmaStart(first), vmaStart(last) + 1, mid, tail, 0);
  if (left != 0) detachVma(cpu, left);
  if (right != 0) detachVma(cpu, right);
  detachVma(cpu, vma);
  return 0;
}

/** Gives the entries of [start, end) at most `rights`; gathers the pages that lost one. */
function changeEntries(cpu: usize, start: u64, end: u64, rights: u64): void {
  let va = start;
  while (va < end) {
    const next = (va & ~(<u64>0x1f_ffff)) + 0x20_0000;
    const upTo = next < end ? next : end;
    const leaf = walkLeaf(cpu, va);
    if (leaf != 0) {
      lockTable(cpu, leaf);
      for (let page = va; page < upTo; page += 4096) changeEntry(cpu, entryAt(leaf, page, 0), page, rights);
      unlockTable(cpu, leaf);
    }
    va = upTo;
  }
}

/** One entry, by compare-and-swap: a hart may set A or D at any moment. Never grants write: the fault does. */
function changeEntry(cpu: usize, slot: usize, page: u64, rights: u64): void {
  let seen = atomic.load<u64>(slot);
  while (seen != 0) {
    let allowed = rights;
    if ((seen & PTE_W) == 0 || isZeroFrame(seen)) allowed &= ~PTE_W;
    if ((allowed & (PTE_V | PTE_HELD)) == 0) allowed |= PTE_V;
    const entry = (seen & ~PTE_RIGHTS) | allowed;
    if (entry == seen) return;
    const found = atomic.cmpxchg<u64>(slot, seen, entry);
    if (found == seen) {
      if ((seen & PTE_RIGHTS & ~entry & ~PTE_HELD) != 0) gatherPage(cpu, page, 0);
      return;
    }
    seen = found;
  }
}
