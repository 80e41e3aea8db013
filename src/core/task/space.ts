/**
 * The space of a process, by its id: process_vm_readv, process_madvise, /proc/PID.
 *
 * Why right  a process has a reference to its space as long as it has a live thread; a thread stops being live, and exec turns to
 *            another space, under taskLock. So what is found here under that lock has a reference, and the record is its own.
 * Locks      taskLock; under mmapLock of the old space where exec turns, else alone
 */

import { switchSpace, tryHoldSpace } from "../mm/lifecycle";
import { copyLimits } from "../mm/limits";
import { MMAP_LOCK, spaceOf } from "../mm/space";
import { C_HOME, cpuArea } from "../sync/cpu";
import { writeLock, writeUnlock } from "../sync/rwlock";
import { lock, unlock } from "../sync/spinlock";
import { isLive, PR_PID, processOf, T_TID, TASK_LOCK, THREADS_SEEN, threadRecord } from "./region";

/** The space of the process that `id` names, by its own id or a thread's, with a reference for the caller; 0 when it is not there, or
 *  ends. */
export function processSpace(cpu: usize, id: u32): u32 {
  let space: u32 = 0;
  lock(cpu, TASK_LOCK);
  const n = load<u32>(THREADS_SEEN);
  for (let i: u32 = 0; i < n && space == 0; i++) {
    const t = threadRecord(i);
    if (!isLive(t) || (load<u32>(processOf(t), PR_PID) != id && load<u32>(t, T_TID) != id)) continue;
    const home = load<u32>(cpuArea(i), C_HOME);
    if (tryHoldSpace(<usize>home)) space = home;
  }
  unlock(TASK_LOCK);
  return space;
}

/**
 * exec: this CPU, the only one of its process, turns to another space, which is the process's from here on, with the limits of the old.
 * Who changes those of the old, found before, is done before they are copied; or finds afterwards that the process has another.
 */
export function turnToSpace(cpu: usize, space: usize): void {
  const old = spaceOf(cpu);
  writeLock(cpu, old + MMAP_LOCK);
  copyLimits(old, space);
  lock(cpu, TASK_LOCK);
  switchSpace(cpu, space);
  unlock(TASK_LOCK);
  writeUnlock(cpu, old + MMAP_LOCK);
}
