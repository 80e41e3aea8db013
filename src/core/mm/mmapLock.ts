/**
 * mmapLock as the memory manager takes it: sync/rwlock.ts, and what its writers announce to those who fault without it.
 *
 *   S_SEQ        u32 atomic. odd while a writer changes the space: the 2021 patchset's mm->mmap_seq.
 *                write: the holder of mmapLock (write), one step after taking it, one before releasing or downgrading it.
 *                peek: spf's faults, who compare for equality.  wraps: a fault would have to be stalled for exactly a
 *                multiple of 2^32 steps, 2^31 map changes, and find the table it saved alive and unlocked
 *   S_LOCK_SEQ   u32 atomic. number of the write section: Linux's mm->mm_lock_seq. A VMA whose own number equals it is
 *                write-locked; one step here releases all that the section locked (vmaLock.ts).
 *                write: mmapLock (write), before releasing or downgrading.  peek: vma-lock's faults
 *
 * Both steps are made under every policy: two stores by a writer, on a line no other policy's fault reads.
 * Ordering   atomic stores: who sees an even count sees the change whole; who sees the old count and locks a page table
 *            afterwards is found by the writer, who takes that lock later (faultSpf.ts).
 * Linux      include/linux/mmap_lock.h
 */
import { downgrade, readLock, readUnlock, writeLock, writeUnlock } from "../sync/rwlock";
import { MMAP_LOCK, S_LOCK_SEQ, S_SEQ, spaceOf } from "./space";

/** Takes mmapLock for writing; true when it had to wait. */
export function mmapWriteLock(cpu: usize): bool {
  const waited = writeLock(cpu, spaceOf(cpu) + MMAP_LOCK);
  atomic.store<u32>(spaceOf(cpu), atomic.load<u32>(spaceOf(cpu), S_SEQ) + 1, S_SEQ);
  return waited;
}

function endChange(cpu: usize): void {
  atomic.store<u32>(spaceOf(cpu), atomic.load<u32>(spaceOf(cpu), S_LOCK_SEQ) + 1, S_LOCK_SEQ);
  atomic.store<u32>(spaceOf(cpu), atomic.load<u32>(spaceOf(cpu), S_SEQ) + 1, S_SEQ);
}

export function mmapWriteUnlock(cpu: usize): void {
  endChange(cpu);
  writeUnlock(cpu, spaceOf(cpu) + MMAP_LOCK);
}

/** From writing to reading without a moment between: the VMAs are changed, their pages are still to be cleared. */
export function mmapDowngrade(cpu: usize): void {
  endChange(cpu);
  downgrade(cpu, spaceOf(cpu) + MMAP_LOCK);
}

/** Takes mmapLock for reading; true when it had to wait. */
export function mmapReadLock(cpu: usize): bool {
  return readLock(cpu, spaceOf(cpu) + MMAP_LOCK);
}

export function mmapReadUnlock(cpu: usize): void {
  readUnlock(cpu, spaceOf(cpu) + MMAP_LOCK);
}
