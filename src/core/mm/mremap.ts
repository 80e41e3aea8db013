/**
 * mremap(2).
 *
 *   shrink           [aaaa]      →  [aa]          the tail is unmapped
 *   grow in place    [aa]··      →  [aaaa]        one VMA with what it equals
 *   MAYMOVE          [aa][b]     →  ··[b] [aaaa]  entries move, no byte is copied
 *   FIXED            the same to a place that is given; what is there goes first. Of one size: over several mappings too, which
 *                    move one after the other and keep the holes between them
 *   DONTUNMAP        the same, and an empty mapping stays at the old place
 *   old size 0       a second mapping of the same shared object; nothing moves
 *
 * Promise    0 or more: the address. The pages have moved when it returns, whole: no access at the old place finds them. An errno:
 *            the mapping is as it was, except for what FIXED unmapped and for a shrunk tail, as in Linux.
 * Algorithm  of a move: all records that are needed are made first; the old VMA leaves the tree and is detached; the entries move
 *            (move.ts); the new VMA is published; the tables of the old place are retired. Without memory for a table at the new
 *            place the entries go back and a VMA like the old one is published again.
 * Order      design protocol 3. A fault that found the old VMA fails its commit; one that finds none waits for mmapLock.
 * Locks      takes mmapLock (write); two leaf tables
 * Errnos     in Linux's order
 *   EINVAL     unknown flags; unaligned address; new size 0 or more than the address space
 *   EINVAL     FIXED or DONTUNMAP: impossible or unaligned new address; not MAYMOVE; DONTUNMAP with two sizes; the ranges overlap
 *   ENOMEM     the same near max_map_count
 *   EFAULT     nothing is mapped at the address
 *   EINVAL     old size 0 of a private mapping
 *   EFAULT     the old range leaves its mapping
 *   EINVAL     the file offset wraps
 *   EAGAIN     RLIMIT_MEMLOCK
 *   ENOMEM     RLIMIT_AS, RLIMIT_DATA; no room to grow in place and not MAYMOVE; no hole; no memory
 *   EPERM      FIXED below mmap_min_addr
 * Linux      mm/mremap.c of 6.17: check_mremap_params, do_mremap, remap_move, check_prep_vma, mremap_to, move_vma
 */

import { Errno } from "../abi/errno";
import { MapFlag, MremapFlag, Populate } from "../abi/mman";
import { lock, unlock } from "../sync/spinlock";
import { mayCommit, mayExpand, mayLock } from "./accounts";
import { drainDeferred } from "./deferred";
import { clearRange, discardVma, insertLocked, publishVma, removeLocked, unmapLocked } from "./mapping";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { moveRange } from "./move";
import { attachObject, detachObject, O_MAPS_LOCK } from "./object";
import { placeLocked } from "./place";
import { populateRange } from "./populate";
import { TASK_SIZE } from "./pte";
import { MAX_MAP_COUNT, S_MAP_COUNT, spaceOf, treeRoot } from "./space";
import { find, findEndingAbove } from "./tree";
import { treeReserveFor } from "./treeChange";
import {
  cutVma,
  V_END,
  V_FLAGS,
  V_OBJECT,
  V_OFFSET,
  V_RECORD,
  V_START,
  VM_ACCOUNT,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_SHARED,
  vmaEnd,
  vmaFlags,
  vmaName,
  vmaStart,
} from "./vma";

const TO: u32 = MremapFlag.Fixed | MremapFlag.DontUnmap;
/** A move splits and adds: so far from max_map_count it begins. */
const SPARE_MAPS: u32 = 3;

export function sysMremap(cpu: usize, addr: u64, oldSize: u64, newSize: u64, flags: u32, newAddr: u64): i64 {
  const mayMove = (flags & MremapFlag.MayMove) != 0;
  const oldBytes = (oldSize + 4095) & ~(<u64>4095);
  const newBytes = (newSize + 4095) & ~(<u64>4095);
  if ((flags & ~(MremapFlag.MayMove | TO)) != 0 || (addr & 4095) != 0) return -Errno.EINVAL;
  if (newBytes == 0 || newBytes > TASK_SIZE) return -Errno.EINVAL;
  if ((flags & TO) != 0) {
    const bad = checkTarget(addr, oldBytes, newAddr, newBytes, flags);
    if (bad != 0) return <i64>bad;
  }
  mmapWriteLock(cpu);
  const at =
    (flags & TO) != 0
      ? moveToLocked(cpu, addr, oldBytes, newAddr, newBytes, flags)
      : resizeLocked(cpu, addr, oldBytes, newBytes, mayMove);
  const vma: usize = at < 0 ? 0 : find(treeRoot(cpu), <u64>at);
  const locked = vma != 0 && (vmaFlags(vma) & VM_LOCKED) != 0 && newBytes > oldBytes;
  mmapWriteUnlock(cpu);
  drainDeferred(cpu);
  if (locked) populateRange(cpu, <u64>at + oldBytes, <u64>at + newBytes, Populate.Locked);
  return at;
}

function checkTarget(addr: u64, oldBytes: u64, to: u64, newBytes: u64, flags: u32): i32 {
  if (to > TASK_SIZE - newBytes || (to & 4095) != 0) return -Errno.EINVAL;
  if ((flags & MremapFlag.MayMove) == 0) return -Errno.EINVAL;
  if ((flags & MremapFlag.DontUnmap) != 0 && oldBytes != newBytes) return -Errno.EINVAL;
  return addr + oldBytes > to && to + newBytes > addr ? -Errno.EINVAL : 0;
}

/** Without FIXED and DONTUNMAP. */
function resizeLocked(cpu: usize, addr: u64, oldBytes: u64, newBytes: u64, mayMove: bool): i64 {
  const vma = find(treeRoot(cpu), addr);
  if (vma == 0) return -Errno.EFAULT;
  if (oldBytes >= newBytes) {
    const failed = oldBytes == newBytes ? 0 : shrinkLocked(cpu, addr + newBytes, addr + oldBytes);
    return failed != 0 ? <i64>failed : <i64>addr;
  }
  const refused = checkResize(cpu, vma, addr, oldBytes, newBytes);
  if (refused != 0) return <i64>refused;
  const more = newBytes - oldBytes;
  if (addr + oldBytes == vmaEnd(vma) && isFree(cpu, vmaEnd(vma), more)) {
    const failed = growLocked(cpu, vma, more);
    return failed != 0 ? <i64>failed : <i64>addr;
  }
  if (!mayMove) return -Errno.ENOMEM;
  const at = placeLocked(cpu, 0, newBytes, 0);
  return at < 0 ? at : moveLocked(cpu, vma, addr, oldBytes, <u64>at, newBytes, false);
}

/** With FIXED or DONTUNMAP. */
function moveToLocked(cpu: usize, addr: u64, oldBytes: u64, to: u64, newBytes: u64, flags: u32): i64 {
  if (load<u32>(spaceOf(cpu), S_MAP_COUNT) + 2 >= MAX_MAP_COUNT - SPARE_MAPS) return -Errno.ENOMEM;
  const several = (flags & MremapFlag.Fixed) != 0 && oldBytes == newBytes;
  if (!several) return moveOneLocked(cpu, addr, oldBytes, to, newBytes, flags);
  const end = addr + oldBytes;
  let at = addr;
  while (true) {
    const vma = findEndingAbove(treeRoot(cpu), at);
    if (vma == 0 || vmaStart(vma) >= end) return at == addr ? -Errno.EFAULT : <i64>to;
    if (at == addr && vmaStart(vma) > addr) return -Errno.EFAULT;
    if (vmaStart(vma) > at) at = vmaStart(vma);
    const upTo = vmaEnd(vma) < end ? vmaEnd(vma) : end;
    const got = moveOneLocked(cpu, at, upTo - at, to + (at - addr), upTo - at, flags);
    if (got < 0 || upTo == end) return got < 0 ? got : <i64>to;
    at = upTo;
  }
}

/** Linux: mm/mremap.c:mremap_to. */
function moveOneLocked(cpu: usize, addr: u64, oldBytes: u64, to: u64, newBytes: u64, flags: u32): i64 {
  const first = find(treeRoot(cpu), addr);
  if (first == 0) return -Errno.EFAULT;
  if (oldBytes <= newBytes) {
    const refused = checkResize(cpu, first, addr, oldBytes, newBytes);
    if (refused != 0) return <i64>refused;
  }
  const fixed = (flags & MremapFlag.Fixed) != 0;
  if (fixed) {
    const failed = unmapLocked(cpu, to, to + newBytes);
    if (failed != 0) return <i64>failed;
  }
  let bytes = oldBytes;
  if (oldBytes > newBytes) {
    const failed = shrinkLocked(cpu, addr + newBytes, addr + oldBytes);
    if (failed != 0) return <i64>failed;
    bytes = newBytes;
  }
  const vma = find(treeRoot(cpu), addr);
  if (vma == 0 || bytes > vmaEnd(vma) - addr) return -Errno.EFAULT;
  const dontUnmap = (flags & MremapFlag.DontUnmap) != 0;
  if (dontUnmap && !mayExpand(cpu, vmaFlags(vma), bytes >> 12)) return -Errno.ENOMEM;
  const at = placeLocked(cpu, to, newBytes, fixed ? <u32>MapFlag.Fixed : 0);
  return at < 0 ? at : moveLocked(cpu, vma, addr, bytes, <u64>at, newBytes, dontUnmap);
}

/** Linux: munmap of nothing, and past the address space, as mm/vma.c:do_vmi_munmap refuses it. */
function shrinkLocked(cpu: usize, start: u64, end: u64): i32 {
  if (end < start || end > TASK_SIZE) return -Errno.EINVAL;
  return unmapLocked(cpu, start, end);
}

/** Linux: mm/mremap.c:vma_to_resize. */
function checkResize(cpu: usize, vma: usize, addr: u64, oldBytes: u64, newBytes: u64): i32 {
  if (oldBytes == 0 && (vmaFlags(vma) & VM_SHARED) == 0) return -Errno.EINVAL;
  if (oldBytes > vmaEnd(vma) - addr) return -Errno.EFAULT;
  if (oldBytes == newBytes) return 0;
  const offset = load<u64>(vma, V_OFFSET) + (addr - vmaStart(vma));
  if (offset + newBytes < offset) return -Errno.EINVAL;
  const more = (newBytes - oldBytes) >> 12;
  if (!mayLock(cpu, vmaFlags(vma), more)) return -Errno.EAGAIN;
  return mayExpand(cpu, vmaFlags(vma), more) ? 0 : -Errno.ENOMEM;
}

function isFree(cpu: usize, start: u64, bytes: u64): bool {
  if (bytes > TASK_SIZE || start > TASK_SIZE - bytes) return false;
  const next = findEndingAbove(treeRoot(cpu), start);
  return next == 0 || vmaStart(next) >= start + bytes;
}

/** What is mapped behind the VMA equals it but for the place, so that it becomes one with it. */
function growLocked(cpu: usize, vma: usize, more: u64): i32 {
  const flags = vmaFlags(vma);
  if ((flags & VM_ACCOUNT) != 0 && !mayCommit(cpu, more >> 12)) return -Errno.ENOMEM;
  const start = vmaEnd(vma);
  const offset = load<u64>(vma, V_OFFSET) + (start - vmaStart(vma));
  const record = <usize>load<u32>(vma, V_RECORD);
  return insertLocked(cpu, start, start + more, flags, load<u32>(vma, V_OBJECT), offset, record, vmaName(vma));
}

/** [addr, addr + oldBytes) of `vma` goes to [to, to + newBytes), which is a hole. Its address, or -ENOMEM. */
function moveLocked(cpu: usize, vma: usize, addr: u64, oldBytes: u64, to: u64, newBytes: u64, stays: bool): i64 {
  if (load<u32>(spaceOf(cpu), S_MAP_COUNT) >= MAX_MAP_COUNT - SPARE_MAPS) return -Errno.ENOMEM;
  if ((vmaFlags(vma) & VM_ACCOUNT) != 0 && !mayCommit(cpu, newBytes >> 12)) return -Errno.ENOMEM;
  const end = addr + oldBytes;
  const fresh = cutVma(cpu, vma, addr, end, vmaFlags(vma));
  const again = cutVma(cpu, vma, addr, end, vmaFlags(vma));
  if (fresh == 0 || again == 0 || !treeReserveFor(cpu, 3)) return giveUp(cpu, fresh, again);
  store<u64>(fresh, to, V_START);
  store<u64>(fresh, to + newBytes, V_END);
  if (oldBytes == 0) {
    publishVma(cpu, fresh);
    discardVma(cpu, again);
    return <i64>to;
  }
  const shown = load<u32>(vma, V_RECORD) != 0;
  const old: usize = shown ? cutVma(cpu, vma, addr, end, vmaFlags(vma)) : 0;
  const next: usize = shown ? cutVma(cpu, vma, addr, end, vmaFlags(vma)) : 0;
  if (shown && !showBoth(cpu, old, next, to)) {
    discardVma(cpu, old);
    discardVma(cpu, next);
    return giveUp(cpu, fresh, again);
  }
  const removed = removeLocked(cpu, addr, end) >= 0;
  const moved = removed && moveShown(cpu, <usize>load<u32>(vma, V_RECORD), addr, oldBytes, to, fresh);
  if (moved) publishVma(cpu, fresh);
  else if (removed) publishVma(cpu, again);
  if (moved && stays) publishUnlocked(cpu, again);
  hide(cpu, old);
  hide(cpu, next);
  if (moved && !stays) {
    discardVma(cpu, again);
    clearRange(cpu, addr, end);
  }
  if (moved) return <i64>to;
  if (removed) clearRange(cpu, to, to + newBytes);
  return giveUp(cpu, fresh, removed ? 0 : again);
}

/**
 * While pages of an object move, both places are among its mappings, by stand-ins that are in no tree: whoever takes pages out
 * of the object or cleans them (truncate.ts, writeback.ts) visits both, before the move or after it: it is made under the MAPS
 * lock that he holds. They keep the object too, whose last mapping the old VMA may be. False without records.
 */
function showBoth(cpu: usize, old: usize, next: usize, to: u64): bool {
  if (old == 0 || next == 0) return false;
  store<u64>(next, to + (vmaEnd(next) - vmaStart(next)), V_END);
  store<u64>(next, to, V_START);
  attachObject(cpu, next);
  attachObject(cpu, old);
  return true;
}

/** moveRange(), with the object's mappings locked when there is one. Linux: mm/mremap.c:take_rmap_locks. */
function moveShown(cpu: usize, object: usize, from: u64, bytes: u64, to: u64, vma: usize): bool {
  if (object == 0) return moveRange(cpu, from, bytes, to, vma);
  lock(cpu, object + O_MAPS_LOCK);
  const moved = moveRange(cpu, from, bytes, to, vma);
  unlock(object + O_MAPS_LOCK);
  return moved;
}

/** Before the tables of its place may be retired. */
function hide(cpu: usize, standIn: usize): void {
  if (standIn == 0) return;
  detachObject(cpu, standIn);
  discardVma(cpu, standIn);
}

/** MREMAP_DONTUNMAP leaves a mapping that is not locked. */
function publishUnlocked(cpu: usize, vma: usize): void {
  store<u32>(vma, vmaFlags(vma) & ~(VM_LOCKED | VM_LOCKONFAULT), V_FLAGS);
  publishVma(cpu, vma);
}

function giveUp(cpu: usize, fresh: usize, again: usize): i64 {
  discardVma(cpu, fresh);
  discardVma(cpu, again);
  return -Errno.ENOMEM;
}
