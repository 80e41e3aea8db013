/**
 * execve(2), as far as processes go: the other threads end, the caller becomes the process's only one, and what a new
 * program does not inherit is reset.
 *
 *   beginExec ─► threadsLeft until 1 ─► (the host turns to the new space) ─► finishExec
 *
 * Promise    of two threads that execute at once one wins, and the other is stopped. A process that ends stays ending: the
 *            winner finds its own Stop.
 * Keeps      ignored dispositions, the mask, what is pending, setitimer's timer, the parent (execve(2)).
 * Linux: compare fs/exec.c:de_thread, begin_new_exec.
 */
import { Errno } from "../abi/errno";
import { Pending } from "../abi/pending";
import { ThreadLong } from "../abi/word";
import { cpuId } from "../sync/cpu";
import { lock, unlock } from "../sync/spinlock";
import { defaultActionsLocked, ownProcess, postAllLocked, unshareActionsLocked, vforkDoneLocked } from "./process";
import {
  PR_EXEC,
  PR_EXECED,
  PR_EXIT,
  PR_EXIT_SIGNAL,
  PR_PID,
  PR_THREADS,
  T_LONGS,
  T_TID,
  TASK_LOCK,
  threadRecord,
} from "./region";
import { dropTimersLocked } from "./timer";

const SIGCHLD: u32 = 17;
const SS_DISABLE: u64 = 2;

/** The other threads of the process are told to end: 0, or -EAGAIN when it ends or another thread executes. */
export function beginExec(cpu: usize): i32 {
  lock(cpu, TASK_LOCK);
  const p = ownProcess(cpu);
  const free = atomic.load<u32>(p, PR_EXIT) == 0 && load<u32>(p, PR_EXEC) == 0;
  if (free) {
    store<u32>(p, cpuId(cpu) + 1, PR_EXEC);
    postAllLocked(p, Pending.Stop, threadRecord(cpuId(cpu)));
  }
  unlock(TASK_LOCK);
  return free ? 0 : -Errno.EAGAIN;
}

/** Threads of the process that have not ended, the caller among them. The last other one to end posts Wake. */
export function threadsLeft(cpu: usize): u32 {
  lock(cpu, TASK_LOCK);
  const n = load<u32>(ownProcess(cpu), PR_THREADS);
  unlock(TASK_LOCK);
  return n;
}

/** The caller is alone and in its new space: it takes the process's id as its own. */
export function finishExec(cpu: usize): void {
  const t = threadRecord(cpuId(cpu));
  lock(cpu, TASK_LOCK);
  const p = ownProcess(cpu);
  store<u32>(t, load<u32>(p, PR_PID), T_TID);
  store<u32>(p, 0, PR_EXEC);
  store<u32>(p, 1, PR_EXECED);
  store<u32>(p, SIGCHLD, PR_EXIT_SIGNAL);
  unshareActionsLocked(p);
  defaultActionsLocked(p);
  dropTimersLocked(p, false);
  vforkDoneLocked(p);
  unlock(TASK_LOCK);
  const longs = t + T_LONGS;
  store<u64>(longs + ((<usize>ThreadLong.AltSp) << 3), 0);
  store<u64>(longs + ((<usize>ThreadLong.AltSize) << 3), 0);
  store<u64>(longs + ((<usize>ThreadLong.AltFlags) << 3), SS_DISABLE);
  store<u64>(longs + ((<usize>ThreadLong.Robust) << 3), 0);
  store<u64>(longs + ((<usize>ThreadLong.ClearTid) << 3), 0);
}
