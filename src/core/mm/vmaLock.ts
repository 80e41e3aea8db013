/**
 * The per-VMA lock of policy vma-lock: what Linux merged in 6.4, and the reference count that took its place in 6.15.
 *
 *   VMA field     rwsem (6.4)                                refcount (6.15)
 *   lock          WRITER | readers                           0 detached; 1 attached + readers; + WRITER while one waits
 *   lockSeq       number of the write section that locked it; equal to S_LOCK_SEQ: write-locked until that section ends
 *
 *   reader        lockSeq = S_LOCK_SEQ? fail.  count itself in, once, no waiting.  look at lockSeq again: equal, out and fail
 *   writer        holds mmapLock (write). keep new readers out, wait for those inside, lockSeq = S_LOCK_SEQ, let go
 *   release       nothing to a VMA: the section's end changes S_LOCK_SEQ, and with it lets go of all
 *
 * Why right     a reader inside is waited for, before the writer changes anything. One that counts itself in after the
 *               writer's store of lockSeq sees it, for both are atomic on this VMA; one before is seen by the writer.
 * Freed         a VMA is freed after a grace period; readers count themselves in inside a reader section, so a VMA that
 *               has readers, which its writer waited out before detaching it, is never in the slab.
 * Waiting       the writer answers IPIs: a reader inside may wait for its acknowledgement. Readers never wait.
 * Linux         include/linux/mm.h:vma_start_read, vma_start_write (6.4); include/linux/mmap_lock.h (6.15)
 */
import { Policy } from "../abi/mman";
import { pause } from "../sync/env";
import { answerIpis } from "../sync/ipi";
import { policy } from "../sync/layout";
import { S_LOCK_SEQ, spaceOf } from "./space";
import { V_LOCK, V_LOCK_SEQ } from "./vma";

const WRITER: u32 = 0x4000_0000;

/** How an attempt to lock a VMA for reading ended. */
export enum Start {
  Locked = 0,
  /** Write-locked, or about to be: the fault goes to mmapLock. */
  Busy = 1,
  /** No longer in the tree: the fault looks up again. */
  Detached = 2,
}

export function usesVmaLocks(): bool {
  return policy() == Policy.VmaLock || policy() == Policy.VmaRefcount;
}

/** Readers of a VMA that nobody locks: 0, or 1 for the tree's own reference. */
function idleCount(): u32 {
  return policy() == Policy.VmaRefcount ? 1 : 0;
}

/** A new VMA: write-locked by the section that is about to publish it, so that faults wait until all is in place. */
export function initVmaLock(cpu: usize, vma: usize): void {
  atomic.store<u32>(vma, idleCount(), V_LOCK);
  atomic.store<u32>(vma, atomic.load<u32>(spaceOf(cpu), S_LOCK_SEQ), V_LOCK_SEQ);
}

function isWriteLocked(cpu: usize, vma: usize): bool {
  return atomic.load<u32>(vma, V_LOCK_SEQ) == atomic.load<u32>(spaceOf(cpu), S_LOCK_SEQ);
}

/** vma_start_read: inside a reader section. */
export function vmaStartRead(cpu: usize, vma: usize): Start {
  if (isWriteLocked(cpu, vma)) return Start.Busy;
  while (true) {
    const n = atomic.load<u32>(vma, V_LOCK);
    if ((n & WRITER) != 0) return Start.Busy;
    if (n < idleCount()) return Start.Detached;
    if (atomic.cmpxchg<u32>(vma, n, n + 1, V_LOCK) == n) break;
  }
  if (!isWriteLocked(cpu, vma)) return Start.Locked;
  vmaEndRead(vma);
  return Start.Busy;
}

export function vmaEndRead(vma: usize): void {
  atomic.sub<u32>(vma, 1, V_LOCK);
}

/** vma_start_write: no fault is inside the VMA afterwards, until mmapLock's write section ends. */
export function vmaStartWrite(cpu: usize, vma: usize): void {
  if (!usesVmaLocks() || isWriteLocked(cpu, vma)) return;
  const idle = idleCount();
  atomic.add<u32>(vma, WRITER, V_LOCK);
  let round: u32 = 0;
  while (true) {
    const n = atomic.load<u32>(vma, V_LOCK);
    if (n == WRITER + idle) break;
    answerIpis(cpu);
    pause(cpu, vma + V_LOCK, n, round++);
  }
  atomic.store<u32>(vma, atomic.load<u32>(spaceOf(cpu), S_LOCK_SEQ), V_LOCK_SEQ);
  atomic.sub<u32>(vma, WRITER, V_LOCK);
}

/** The VMA leaves the tree, write-locked: under refcount its own reference goes. */
export function vmaMarkDetached(vma: usize): void {
  if (policy() == Policy.VmaRefcount) atomic.sub<u32>(vma, 1, V_LOCK);
}
