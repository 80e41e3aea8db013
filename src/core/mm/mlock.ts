/**
 * mlock(2), mlock2(2), munlock(2), mlockall(2), munlockall(2): VM_LOCKED on a range, on what is mapped, on what comes.
 *
 * Promise    a locked mapping's pages stay: nothing here takes a page away but the calls that say so, and those that Linux
 *            refuses on locked memory are refused. The caller brings the pages in afterwards: populateRange(Locked).
 * Algorithm  each VMA of the range is replaced by one with the flags (replace.ts); lockedVm is counted as VMAs come and go.
 * Locks      takes mmapLock (write)
 * Errnos     in Linux's order
 *   mlock      EINVAL flags of mlock2; EPERM RLIMIT_MEMLOCK is 0; ENOMEM past it, or a hole (what lies before it is done), or no
 *              record; EINVAL the range wraps. Then of bringing in: ENOMEM for EFAULT, EAGAIN for ENOMEM (the caller's)
 *   munlock    EINVAL, ENOMEM the same
 *   mlockall   EINVAL no flag, an unknown one, MCL_ONFAULT alone; EPERM RLIMIT_MEMLOCK is 0; ENOMEM past it
 *   A privileged space (CAP_IPC_LOCK) has no limit.
 * Linux      mm/mlock.c:do_mlock, apply_vma_lock_flags, apply_mlockall_flags
 */
import { Errno } from "../abi/errno";
import { MlockFlag } from "../abi/mman";
import { isPrivileged, mayLockAny, pagesIn } from "./accounts";
import { drainDeferred } from "./deferred";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { TASK_SIZE } from "./pte";
import { replaceLocked } from "./replace";
import { S_FUTURE, S_LIMIT_MEMLOCK, S_LOCKED_VM, S_TOTAL_VM, spaceOf, treeRoot } from "./space";
import { findEndingAbove } from "./tree";
import { VM_DROPPABLE, VM_LOCKED, VM_LOCKONFAULT, vmaEnd, vmaFlags, vmaName, vmaStart } from "./vma";

const LOCK_BITS: u32 = VM_LOCKED | VM_LOCKONFAULT;

export function sysMlock(cpu: usize, addr: u64, length: u64, flags: u32): i64 {
  if ((flags & ~(<u32>MlockFlag.OnFault)) != 0) return -Errno.EINVAL;
  if (!mayLockAny(cpu)) return -Errno.EPERM;
  const start = addr & ~(<u64>4095);
  const bytes = (length + (addr & 4095) + 4095) & ~(<u64>4095);
  mmapWriteLock(cpu);
  let result: i64 = -Errno.ENOMEM;
  if (isPrivileged(cpu) || withinLimit(cpu, start, bytes)) {
    result = lockLocked(cpu, start, bytes, flags != 0 ? LOCK_BITS : VM_LOCKED);
  }
  mmapWriteUnlock(cpu);
  drainDeferred(cpu);
  return result;
}

export function sysMunlock(cpu: usize, addr: u64, length: u64): i64 {
  mmapWriteLock(cpu);
  const result = lockLocked(cpu, addr & ~(<u64>4095), (length + (addr & 4095) + 4095) & ~(<u64>4095), 0);
  mmapWriteUnlock(cpu);
  drainDeferred(cpu);
  return result;
}

export function sysMlockAll(cpu: usize, flags: u32): i64 {
  if (flags == 0 || flags > <u32>MlockFlag.AllFlags || flags == <u32>MlockFlag.AllOnFault) return -Errno.EINVAL;
  if (!mayLockAny(cpu)) return -Errno.EPERM;
  const current = (flags & MlockFlag.Current) != 0;
  const bits = (flags & MlockFlag.AllOnFault) != 0 ? LOCK_BITS : VM_LOCKED;
  mmapWriteLock(cpu);
  let result: i64 = -Errno.ENOMEM;
  const limit = load<u64>(spaceOf(cpu), S_LIMIT_MEMLOCK) >> 12;
  if (!current || isPrivileged(cpu) || <u64>load<u32>(spaceOf(cpu), S_TOTAL_VM) <= limit) {
    store<u32>(spaceOf(cpu), (flags & MlockFlag.Future) != 0 ? bits : 0, S_FUTURE);
    if (current) lockAllLocked(cpu, bits);
    result = 0;
  }
  mmapWriteUnlock(cpu);
  drainDeferred(cpu);
  return result;
}

export function sysMunlockAll(cpu: usize): i64 {
  mmapWriteLock(cpu);
  store<u32>(spaceOf(cpu), 0, S_FUTURE);
  lockAllLocked(cpu, 0);
  mmapWriteUnlock(cpu);
  drainDeferred(cpu);
  return 0;
}

/** What is locked in the range already does not count twice. */
function withinLimit(cpu: usize, start: u64, bytes: u64): bool {
  const limit = load<u64>(spaceOf(cpu), S_LIMIT_MEMLOCK) >> 12;
  const wanted = (bytes >> 12) + <u64>load<u32>(spaceOf(cpu), S_LOCKED_VM);
  return wanted <= limit || wanted - pagesIn(cpu, start, start + bytes, VM_LOCKED) <= limit;
}

function lockLocked(cpu: usize, start: u64, bytes: u64, bits: u32): i64 {
  const end = start + bytes;
  if (end < start) return -Errno.EINVAL;
  let at = start;
  while (at < end) {
    const vma = findEndingAbove(treeRoot(cpu), at);
    if (vma == 0 || vmaStart(vma) > at) return -Errno.ENOMEM;
    const upTo = vmaEnd(vma) < end ? vmaEnd(vma) : end;
    const failed = setBits(cpu, vma, at, upTo, bits);
    if (failed != 0) return <i64>failed;
    at = upTo;
  }
  return 0;
}

/** As far as records go: Linux ignores what cannot be had here. */
function lockAllLocked(cpu: usize, bits: u32): void {
  let at: u64 = 0;
  while (at < TASK_SIZE) {
    const vma = findEndingAbove(treeRoot(cpu), at);
    if (vma == 0) return;
    at = vmaEnd(vma);
    setBits(cpu, vma, vmaStart(vma), at, bits);
  }
}

function setBits(cpu: usize, vma: usize, start: u64, end: u64, bits: u32): i32 {
  // What may be lost is not locked, and nobody is told (mm/mlock.c:mlock_fixup).
  if ((vmaFlags(vma) & VM_DROPPABLE) != 0) return 0;
  const flags = (vmaFlags(vma) & ~LOCK_BITS) | bits;
  return flags == vmaFlags(vma) ? 0 : replaceLocked(cpu, vma, start, end, flags, vmaName(vma));
}
