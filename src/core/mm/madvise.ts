/**
 * madvise(2): one walk over the VMAs of the range, and for each what the advice says.
 *
 *   NORMAL RANDOM SEQUENTIAL   flags of the VMA: fault-around and readahead look at them
 *   DONTFORK DOFORK WIPEONFORK KEEPONFORK   flags that fork looks at;  DONTDUMP DODUMP: flags, no core is dumped
 *   DONTNEED                   zaps: the next access finds zeroes, or the file's contents;  DONTNEED_LOCKED: locked memory too
 *   FREE                       the same at once: Linux may take the pages at any moment until they are written again
 *   WILLNEED COLD PAGEOUT      hints: there is no swap; checked as Linux checks them
 *   POPULATE_READ, _WRITE      populate.ts;   GUARD_INSTALL, GUARD_REMOVE   guard.ts
 *   REMOVE                     a hole in shared anonymous memory; EOPNOTSUPP for a file, as by a file system without holes
 *   MERGEABLE UNMERGEABLE      EINVAL: a kernel without CONFIG_KSM
 *   HUGEPAGE NOHUGEPAGE COLLAPSE   EINVAL: a kernel without CONFIG_TRANSPARENT_HUGEPAGE
 *   HWPOISON SOFT_OFFLINE      EPERM without CAP_SYS_ADMIN, else EINVAL: a kernel without CONFIG_MEMORY_FAILURE
 *
 * Locks      what changes VMAs takes mmapLock for writing, the rest for reading: VMAs stay, so faults of other policies go on
 *            beside it; each table's lock orders the two, and the shootdown ends before any frame is freed.
 * Errnos     in Linux's order
 *   EINVAL     advice unknown; unaligned start; the length wraps, or the range
 *   (0)        length 0
 *   ENOMEM     a hole in the range: the rest is done
 *   EINVAL     what the VMA does not allow: DONTNEED, FREE, COLD, PAGEOUT, REMOVE, GUARD_INSTALL of locked memory; FREE, WIPEONFORK
 *              of a file or shared memory; KEEPONFORK of nothing; REMOVE of private memory
 *   EACCES     REMOVE where the mapping can not become writable
 *   ENOMEM, EFAULT, EINVAL   POPULATE: populate.ts.   EAGAIN: no record for a split, as Linux says it for ENOMEM
 * Linux      mm/madvise.c of 6.13: madvise_behavior_valid, do_madvise, madvise_walk_vmas, madvise_vma_behavior
 */

import { Errno } from "../abi/errno";
import { Advice, Populate } from "../abi/mman";
import { rcuEnter, rcuExit } from "../sync/env";
import { isPrivileged } from "./accounts";
import { drainDeferred } from "./deferred";
import { gatherBegin, gatherFlush } from "./gather";
import { installGuards, removeGuards } from "./guard";
import { mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { KIND_SHMEM, O_KIND } from "./object";
import { populateRange } from "./populate";
import { replaceLocked } from "./replace";
import { tablesIrq } from "./section";
import { enterSpace, treeRoot } from "./space";
import { findEndingAbove } from "./tree";
import { punchObject } from "./truncate";
import {
  V_OBJECT,
  V_OFFSET,
  V_RECORD,
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_DROPPABLE,
  VM_LOCKED,
  VM_NOWRITE,
  VM_RAND_READ,
  VM_SEQ_READ,
  VM_SHARED,
  VM_WIPEONFORK,
  vmaEnd,
  vmaFlags,
  vmaName,
  vmaStart,
} from "./vma";
import { ALL, zapRange } from "./zap";

export function sysMadvise(cpu: usize, addr: u64, length: u64, advice: u32): i64 {
  if (advice == <u32>Advice.HwPoison || advice == <u32>Advice.SoftOffline) {
    return isPrivileged(cpu) ? -Errno.EINVAL : -Errno.EPERM;
  }
  if (!isKnown(advice) || (addr & 4095) != 0) return -Errno.EINVAL;
  const end = endOf(addr, length);
  if (end == addr) return length == 0 ? 0 : -Errno.EINVAL;
  if (end < addr) return -Errno.EINVAL;
  if (advice == <u32>Advice.PopulateRead) return populateRange(cpu, addr, end, Populate.Read);
  if (advice == <u32>Advice.PopulateWrite) return populateRange(cpu, addr, end, Populate.Write);
  const write = changesVma(advice);
  if (write) mmapWriteLock(cpu);
  else mmapReadLock(cpu);
  const result = walkLocked(cpu, addr, end, advice);
  if (write) mmapWriteUnlock(cpu);
  else mmapReadUnlock(cpu);
  drainDeferred(cpu);
  return <i64>result;
}

/** Rounded up to pages; not above addr when it wraps, or the range is empty. */
function endOf(addr: u64, length: u64): u64 {
  return addr + ((length + 4095) & ~(<u64>4095));
}

/**
 * COLD, PAGEOUT, WILLNEED for a space that this CPU does not run: process_madvise(2). Nothing changes; the VMAs are looked at as
 * Linux looks at them. rcu: in a reader section, which keeps what a walk from a root of the tree meets; a change beside it
 * shows or does not, VMA by VMA. irq: no round comes to this CPU, so mmapLock for reading (mm/remote.ts).
 * The caller holds a reference to the space.
 */
export function hintSpace(cpu: usize, space: usize, addr: u64, length: u64, advice: u32): i64 {
  const end = endOf(addr, length);
  if ((addr & 4095) != 0 || end < addr) return -Errno.EINVAL;
  if (end == addr) return length == 0 ? 0 : -Errno.EINVAL;
  const home = enterSpace(cpu, space);
  const locked = tablesIrq();
  if (locked) mmapReadLock(cpu);
  else rcuEnter(cpu);
  const result = walkLocked(cpu, addr, end, advice);
  if (locked) mmapReadUnlock(cpu);
  else rcuExit(cpu);
  enterSpace(cpu, home);
  return <i64>result;
}

function isKnown(advice: u32): bool {
  if (advice <= <u32>Advice.DontNeed) return true;
  if (advice >= <u32>Advice.Free && advice <= <u32>Advice.DoFork) return true;
  if (advice >= <u32>Advice.DontDump && advice <= <u32>Advice.DontNeedLocked) return true;
  return advice == <u32>Advice.GuardInstall || advice == <u32>Advice.GuardRemove;
}

/** Linux: mm/madvise.c:madvise_need_mmap_write. */
function changesVma(advice: u32): bool {
  if (advice <= <u32>Advice.Sequential || advice == <u32>Advice.DontFork || advice == <u32>Advice.DoFork) return true;
  return advice >= <u32>Advice.DontDump && advice <= <u32>Advice.KeepOnFork;
}

/** Linux: mm/madvise.c:madvise_walk_vmas: the first refusal ends it; a hole does not. */
function walkLocked(cpu: usize, start: u64, end: u64, advice: u32): i32 {
  let at = start;
  let unmapped = 0;
  while (at < end) {
    const vma = findEndingAbove(treeRoot(cpu), at);
    if (vma == 0 || vmaStart(vma) > at) unmapped = -Errno.ENOMEM;
    if (vma == 0 || vmaStart(vma) >= end) break;
    const from = vmaStart(vma) > at ? vmaStart(vma) : at;
    const upTo = vmaEnd(vma) < end ? vmaEnd(vma) : end;
    const failed = changesVma(advice) ? changeFlags(cpu, vma, from, upTo, advice) : act(cpu, vma, from, upTo, advice);
    if (failed != 0) return failed;
    at = upTo;
  }
  return unmapped;
}

function changeFlags(cpu: usize, vma: usize, start: u64, end: u64, advice: u32): i32 {
  const old = vmaFlags(vma);
  let flags = old;
  const keeps = advice == <u32>Advice.DoDump || advice == <u32>Advice.KeepOnFork;
  if (keeps && (old & VM_DROPPABLE) != 0) return -Errno.EINVAL;
  if (advice <= <u32>Advice.Sequential) flags &= ~(VM_RAND_READ | VM_SEQ_READ);
  if (advice == <u32>Advice.Random) flags |= VM_RAND_READ;
  else if (advice == <u32>Advice.Sequential) flags |= VM_SEQ_READ;
  else if (advice == <u32>Advice.DontFork) flags |= VM_DONTCOPY;
  else if (advice == <u32>Advice.DoFork) flags &= ~VM_DONTCOPY;
  else if (advice == <u32>Advice.DontDump) flags |= VM_DONTDUMP;
  else if (advice == <u32>Advice.DoDump) flags &= ~VM_DONTDUMP;
  else if (advice == <u32>Advice.WipeOnFork) {
    if (isFileOrShared(vma)) return -Errno.EINVAL;
    flags |= VM_WIPEONFORK;
  } else if (advice == <u32>Advice.KeepOnFork) flags &= ~VM_WIPEONFORK;
  if (flags == old) return 0;
  return replaceLocked(cpu, vma, start, end, flags, vmaName(vma)) == 0 ? 0 : -Errno.EAGAIN;
}

function isFileOrShared(vma: usize): bool {
  return load<u32>(vma, V_OBJECT) != 0 || (vmaFlags(vma) & VM_SHARED) != 0;
}

/** The advice that changes no VMA. */
function act(cpu: usize, vma: usize, start: u64, end: u64, advice: u32): i32 {
  const locked = (vmaFlags(vma) & VM_LOCKED) != 0;
  if (advice == <u32>Advice.WillNeed) return 0;
  if (advice == <u32>Advice.GuardRemove) {
    removeGuards(cpu, start, end);
    return 0;
  }
  if (advice == <u32>Advice.Remove) return remove(cpu, vma, start, end);
  if (locked && advice != <u32>Advice.DontNeedLocked) return -Errno.EINVAL;
  if (advice == <u32>Advice.Cold || advice == <u32>Advice.PageOut) return 0;
  if (advice == <u32>Advice.Free && isFileOrShared(vma)) return -Errno.EINVAL;
  gatherBegin(cpu);
  const failed = advice == <u32>Advice.GuardInstall ? installGuards(cpu, vma, start, end) : zap(cpu, start, end);
  gatherFlush(cpu);
  return failed;
}

function zap(cpu: usize, start: u64, end: u64): i32 {
  zapRange(cpu, start, end, false, ALL);
  return 0;
}

/**
 * MADV_REMOVE, for who has a host: where [start, end) goes on past shared anonymous memory, which is punched here, the part of
 * a file that is next. 1: {next u64, from u64, upTo u64, object u32, hole u32} at `out`, bytes of the object, hole 1 once the range had
 * one; 0: the end; or an errno.
 */
export function removeNext(cpu: usize, start: u64, end: u64, out: usize): i64 {
  let at = start;
  let result: i64 = 0;
  mmapReadLock(cpu);
  while (at < end && result == 0) {
    const vma = findEndingAbove(treeRoot(cpu), at);
    if (vma == 0 || vmaStart(vma) > at) store<u32>(out, 1, 28);
    if (vma == 0 || vmaStart(vma) >= end) break;
    if (vmaStart(vma) > at) at = vmaStart(vma);
    const upTo = vmaEnd(vma) < end ? vmaEnd(vma) : end;
    const offset = load<u64>(vma, V_OFFSET) - vmaStart(vma);
    result = <i64>remove(cpu, vma, at, upTo);
    if (result == -Errno.EOPNOTSUPP) {
      store<u64>(out, upTo);
      store<u64>(out, at + offset, 8);
      store<u64>(out, upTo + offset, 16);
      store<u32>(out, load<u32>(vma, V_OBJECT), 24);
      result = 1;
    }
    at = upTo;
  }
  mmapReadUnlock(cpu);
  return result;
}

/** Linux: mm/madvise.c:madvise_remove. Private memory has no hole to make; a file's bytes are the host's, and stay. */
function remove(cpu: usize, vma: usize, start: u64, end: u64): i32 {
  const record = <usize>load<u32>(vma, V_RECORD);
  if ((vmaFlags(vma) & VM_LOCKED) != 0 || record == 0) return -Errno.EINVAL;
  if ((vmaFlags(vma) & (VM_SHARED | VM_NOWRITE)) != VM_SHARED) return -Errno.EACCES;
  if (load<u32>(record, O_KIND) != KIND_SHMEM) return -Errno.EOPNOTSUPP;
  const offset = load<u64>(vma, V_OFFSET) - vmaStart(vma);
  punchObject(cpu, load<u32>(vma, V_OBJECT), start + offset, end + offset);
  return 0;
}
