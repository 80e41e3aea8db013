/**
 * mmapLock: a reader-writer lock whose waiters sleep.
 *
 *   state  u32  WRITER | WAITERS | readers
 *               readers and the writer change it by compare-and-swap; WAITERS makes newcomers queue behind sleepers, so
 *               that a stream of readers can not starve a writer.
 *
 * Waiting is an idle sleep: the waiter holds nothing, is quiescent, and nobody waits for its acknowledgement; that is
 * why its holder may run shootdowns and grace periods while others want the lock. The releaser that leaves the lock
 * free clears WAITERS and wakes all; who loses sets it again.
 * Linux: compare include/linux/mmap_lock.h, kernel/locking/rwsem.c.
 */
import { Bug } from "../abi/bug";
import { bug, pause } from "./env";
import { idleWaitWord } from "./idle";
import { answerIpis } from "./ipi";

const WRITER: u32 = 0x8000_0000;
const WAITERS: u32 = 0x4000_0000;
const READERS: u32 = 0x3fff_ffff;
const SPINS: u32 = 20;

/** Takes the lock for reading; true when it had to wait (everything read before is stale). */
export function readLock(cpu: usize, lock: usize): bool {
  if (tryReadLock(lock)) return false;
  let round: u32 = 0;
  while (!tryReadLock(lock)) waitFree(cpu, lock, round++, WRITER | WAITERS);
  return true;
}

export function tryReadLock(lock: usize): bool {
  const s = atomic.load<u32>(lock);
  return (s & (WRITER | WAITERS)) == 0 && atomic.cmpxchg<u32>(lock, s, s + 1) == s;
}

/** Takes the lock for writing; true when it had to wait. */
export function writeLock(cpu: usize, lock: usize): bool {
  if (tryWriteLock(lock)) return false;
  let round: u32 = 0;
  while (!tryWriteLock(lock)) waitFree(cpu, lock, round++, WRITER | WAITERS | READERS);
  return true;
}

export function tryWriteLock(lock: usize): bool {
  return atomic.cmpxchg<u32>(lock, 0, WRITER) == 0;
}

/** One round of a wait until none of `busy` is set: spins at first, then sets WAITERS and sleeps idle. */
function waitFree(cpu: usize, lock: usize, round: u32, busy: u32): void {
  const s = atomic.load<u32>(lock);
  if ((s & busy) == 0) return;
  answerIpis(cpu);
  if (round < SPINS) {
    pause(cpu, lock, s, round);
    return;
  }
  if (s == WAITERS) {
    // Free, but flagged by a waiter that came after the last release: take the flag down and wake who sleeps behind it.
    if (atomic.cmpxchg<u32>(lock, WAITERS, 0) == WAITERS) atomic.notify(lock, -1);
    return;
  }
  const flagged = s | WAITERS;
  if (s == flagged || atomic.cmpxchg<u32>(lock, s, flagged) == s) idleWaitWord(cpu, lock, flagged);
}

export function readUnlock(cpu: usize, lock: usize): void {
  const old = atomic.sub<u32>(lock, 1);
  if ((old & READERS) == 0 || (old & WRITER) != 0) bug(cpu, Bug.unlockRead_mmapLock_not_held_for_reading);
  if (old - 1 == WAITERS && atomic.cmpxchg<u32>(lock, WAITERS, 0) == WAITERS) atomic.notify(lock, -1);
}

/** The writer becomes the only reader; the other readers that wait are woken. */
export function downgrade(cpu: usize, lock: usize): void {
  const old = atomic.xchg<u32>(lock, 1);
  if ((old & WRITER) == 0) bug(cpu, Bug.unlockWrite_mmapLock_not_held_for_writing);
  if ((old & WAITERS) != 0) atomic.notify(lock, -1);
}

export function writeUnlock(cpu: usize, lock: usize): void {
  const old = atomic.xchg<u32>(lock, 0);
  if ((old & WRITER) == 0) bug(cpu, Bug.unlockWrite_mmapLock_not_held_for_writing);
  if ((old & WAITERS) != 0) atomic.notify(lock, -1);
}
