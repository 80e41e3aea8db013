/**
 * Waiting for children: looks once; who waits sleeps on his own pending word, and every end of a child posts Wake to all
 * threads of its parent.
 *
 * No end lost   | waiter                          | child's end
 *               | take Wake                       | store zombie
 *               | look, under taskLock            | post Wake, under taskLock
 *               The look sees the zombie, or the post comes after the bit was taken and ends the sleep.
 * Locks         taskLock.
 * Linux: compare kernel/exit.c:do_wait, eligible_child, wait_task_zombie.
 */
import { Errno } from "../abi/errno";
import { cpuId } from "../sync/cpu";
import { lock, unlock } from "../sync/spinlock";
import { freeProcessLocked, ownProcess } from "./process";
import {
  PR_CHILDREN_NS,
  PR_CREATOR,
  PR_EXIT,
  PR_EXIT_SIGNAL,
  PR_GROUP,
  PR_PARENT,
  PR_PID,
  PR_STATE,
  PR_USER_NS,
  PROCESS_FREE,
  PROCESS_ZOMBIE,
  PROCESSES_SEEN,
  processRecord,
  T_TID,
  TASK_LOCK,
  threadRecord,
} from "./region";

const P_PID: u32 = 1;
const P_PGID: u32 = 2;
const WEXITED: u32 = 4;
const WNOWAIT: u32 = 0x0100_0000;
const WNOTHREAD: u32 = 0x2000_0000;
const WALL: u32 = 0x4000_0000;
const WCLONE: u32 = 0x8000_0000;
const SIGCHLD: u32 = 17;

/**
 * A child that has ended, and takes it unless WNOWAIT: its pid; 0 when those that match still live; -ECHILD when none does.
 * kind: 0 all, P_PID, P_PGID (the group `id`). Writes {wait status u32, -, its time and that of its children f64 ns} to `out`.
 */
export function waitChild(cpu: usize, kind: u32, id: u32, options: u32, out: usize): i32 {
  lock(cpu, TASK_LOCK);
  const own = ownProcess(cpu);
  const tid = load<u32>(threadRecord(cpuId(cpu)), T_TID);
  let result: i32 = -Errno.ECHILD;
  const n = load<u32>(PROCESSES_SEEN);
  for (let i: u32 = 0; i < n && result <= 0; i++) {
    const p = processRecord(i);
    const state = atomic.load<u32>(p, PR_STATE);
    if (state == PROCESS_FREE || <usize>load<u32>(p, PR_PARENT) != own || !matches(p, kind, id, options, tid)) continue;
    result = 0;
    if (state == PROCESS_ZOMBIE && (options & WEXITED) != 0) result = takeLocked(own, p, options, out);
  }
  unlock(TASK_LOCK);
  return result;
}

function matches(p: usize, kind: u32, id: u32, options: u32, tid: u32): bool {
  if (kind == P_PID && load<u32>(p, PR_PID) != id) return false;
  if (kind == P_PGID && load<u32>(p, PR_GROUP) != id) return false;
  if ((options & WNOTHREAD) != 0 && load<u32>(p, PR_CREATOR) != tid) return false;
  if ((options & WALL) != 0) return true;
  return (load<u32>(p, PR_EXIT_SIGNAL) != SIGCHLD) == ((options & WCLONE) != 0);
}

function takeLocked(own: usize, p: usize, options: u32, out: usize): i32 {
  const ns = load<f64>(p, PR_USER_NS) + load<f64>(p, PR_CHILDREN_NS);
  store<u32>(out, atomic.load<u32>(p, PR_EXIT) & 0xffff);
  store<f64>(out, ns, 8);
  if ((options & WNOWAIT) == 0) {
    store<f64>(own, load<f64>(own, PR_CHILDREN_NS) + ns, PR_CHILDREN_NS);
    freeProcessLocked(p);
  }
  return load<i32>(p, PR_PID);
}
