/**
 * How threads and processes end.
 *
 *   exit_group, a fatal signal ─► beginExit: status kept, Stop to the other threads ┐
 *   exit ───────────────────────────────────────────────────────────────────────────┴► endThread ─► the last: endProcess
 *
 * Promise    a process's status is written once; its end is told to its parent after its files and memory are gone, by its
 *            last thread. Stop is posted under taskLock, to live threads only, and taken when a worker joins the pool: it
 *            never reaches the next thread of the same worker.
 * Orphans    children of a process that ends have no parent from then on: zombies among them are freed at once, the others
 *            when they end.
 * Linux: compare kernel/exit.c:do_group_exit, do_exit, exit_notify, kernel/signal.c:do_notify_parent.
 */
import { Pending } from "../abi/pending";
import { cpuArea, cpuId, post } from "../sync/cpu";
import { now } from "../sync/env";
import { lock, unlock } from "../sync/spinlock";
import {
  dropActionsLocked,
  findProcessLocked,
  freeProcessLocked,
  isFirst,
  ownProcess,
  postAllLocked,
  vforkDoneLocked,
} from "./process";
import { dropQueue } from "./queue";
import {
  EXITING,
  isLive,
  LIVE_THREADS,
  PR_CHILDREN_NS,
  PR_EXEC,
  PR_EXIT,
  PR_EXIT_SIGNAL,
  PR_PARENT,
  PR_PENDING,
  PR_PID,
  PR_QUEUE,
  PR_STATE,
  PR_THREADS,
  PR_USER_NS,
  PROCESS_LIVE,
  PROCESS_ZOMBIE,
  PROCESSES_SEEN,
  processOf,
  processRecord,
  STATE_CLAIMED,
  T_ASLEEP,
  T_BEGAN,
  T_PENDING,
  T_QUEUE,
  T_SLEPT,
  T_STATE,
  TASK_LOCK,
  THREADS_SEEN,
  threadRecord,
} from "./region";
import { findLocked, handlerOf, noChildWait, retargetLocked, signalProcessLocked } from "./signal";
import { dropTimersLocked } from "./timer";

const SIGKILL: u32 = 9;
const SIGCHLD: u32 = 17;
const SIG_IGN: u64 = 1;
const CLD_EXITED: i32 = 1;
const CLD_KILLED: i32 = 2;
const CLOCK_TICK_NS: f64 = 10_000_000.0;

/** Ends the own process with a wait status unless it is ending already, and stops its other threads; true when it was first. */
export function beginExit(cpu: usize, status: u32): bool {
  lock(cpu, TASK_LOCK);
  const t = threadRecord(cpuId(cpu));
  const first = beginExitLocked(processOf(t), status, t);
  unlock(TASK_LOCK);
  return first;
}

/** The same for any process; `except`: the thread that needs no Stop, or 0. */
export function beginExitLocked(p: usize, status: u32, except: usize): bool {
  if (atomic.load<u32>(p, PR_EXIT) != 0) return false;
  atomic.store<u32>(p, EXITING | status, PR_EXIT);
  postAllLocked(p, Pending.Stop, except);
  return true;
}

/**
 * The thread of this CPU is over; signals sent to it are dropped. How many of its process still live. The last one's `status` is the process's unless that has one.
 */
export function endThread(cpu: usize, status: u32): u32 {
  const t = threadRecord(cpuId(cpu));
  lock(cpu, TASK_LOCK);
  const p = processOf(t);
  atomic.store<u32>(t, STATE_CLAIMED, T_STATE);
  dropQueue(t + T_PENDING, t + T_QUEUE);
  retargetLocked(cpu, ~(<u64>0));
  store<f64>(p, load<f64>(p, PR_USER_NS) + busyOf(t), PR_USER_NS);
  const left = load<u32>(p, PR_THREADS) - 1;
  store<u32>(p, left, PR_THREADS);
  store<u32>(LIVE_THREADS, load<u32>(LIVE_THREADS) - 1);
  if (left == 0 && atomic.load<u32>(p, PR_EXIT) == 0) atomic.store<u32>(p, EXITING | status, PR_EXIT);
  // An exec that waits for the others to end.
  if (left == 1 && load<u32>(p, PR_EXEC) != 0) post(cpuArea(load<u32>(p, PR_EXEC) - 1), Pending.Wake);
  unlock(TASK_LOCK);
  return left;
}

/** Nanoseconds that a thread was not asleep: the nearest there is to its CPU time. */
export function busyOf(t: usize): f64 {
  const asleep = reinterpret<f64>(atomic.load<u64>(t, T_ASLEEP));
  const until = asleep != 0.0 ? asleep : now();
  const ns = until - reinterpret<f64>(atomic.load<u64>(t, T_BEGAN)) - reinterpret<f64>(atomic.load<u64>(t, T_SLEPT));
  return ns > 0.0 ? ns : 0.0;
}

/** Nanoseconds of process `pid` (0: the own): of its threads, or with `children` of those it has waited for; -1: there is none. */
export function processNs(cpu: usize, pid: u32, children: bool): f64 {
  lock(cpu, TASK_LOCK);
  const p = pid == 0 ? ownProcess(cpu) : findProcessLocked(pid);
  if (p == 0) {
    unlock(TASK_LOCK);
    return -1.0;
  }
  let ns = load<f64>(p + (children ? PR_CHILDREN_NS : PR_USER_NS));
  const n = children ? <u32>0 : load<u32>(THREADS_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const t = threadRecord(i);
    if (isLive(t) && processOf(t) == p) ns += busyOf(t);
  }
  unlock(TASK_LOCK);
  return ns;
}

/** The same of one live thread, of any process; -1 when there is none. */
export function threadNs(cpu: usize, tid: u32): f64 {
  lock(cpu, TASK_LOCK);
  const index = findLocked(tid);
  const ns = index < 0 ? -1.0 : busyOf(threadRecord(index));
  unlock(TASK_LOCK);
  return ns;
}

/** The wait status of the own process, which ends. */
export function exitStatus(cpu: usize): u32 {
  return atomic.load<u32>(ownProcess(cpu), PR_EXIT) & 0xffff;
}

/** Its last thread has closed its files and left its memory: it is a zombie, or gone. True for the first process. */
export function endProcess(cpu: usize, uid: u32): bool {
  lock(cpu, TASK_LOCK);
  const p = ownProcess(cpu);
  vforkDoneLocked(p);
  orphanLocked(p);
  dropTimersLocked(p, true);
  dropQueue(p + PR_PENDING, p + PR_QUEUE);
  dropActionsLocked(p);
  const first = isFirst(p);
  const parent = <usize>load<u32>(p, PR_PARENT);
  if (parent == 0 || tellLocked(cpu, p, parent, uid)) {
    if (!first) freeProcessLocked(p);
  } else atomic.store<u32>(p, PROCESS_ZOMBIE, PR_STATE);
  if (parent != 0) postAllLocked(parent, Pending.Wake, 0);
  // The first waits until the others are gone.
  postAllLocked(processRecord(0), Pending.Wake, 0);
  unlock(TASK_LOCK);
  return first;
}

function orphanLocked(p: usize): void {
  const n = load<u32>(PROCESSES_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const child = processRecord(i);
    const state = atomic.load<u32>(child, PR_STATE);
    if (state == 0 || <usize>load<u32>(child, PR_PARENT) != p) continue;
    store<u32>(child, 0, PR_PARENT);
    if (state == PROCESS_ZOMBIE) freeProcessLocked(child);
  }
}

/** Sends the parent what the child's exit signal says; true when the parent wants no zombie. */
function tellLocked(cpu: usize, p: usize, parent: usize, uid: u32): bool {
  const signal = load<u32>(p, PR_EXIT_SIGNAL);
  const ignores = signal == SIGCHLD && handlerOf(parent, SIGCHLD) == SIG_IGN;
  const gone = ignores || (signal == SIGCHLD && noChildWait(parent));
  if (signal != 0 && !ignores) {
    const status = atomic.load<u32>(p, PR_EXIT);
    const killed = (status & 0x7f) != 0;
    const told: u64 = killed ? status & 0x7f : (status >> 8) & 0xff;
    const ticks = <u64>(load<f64>(p, PR_USER_NS) / CLOCK_TICK_NS);
    const value = told | (ticks << 32);
    signalProcessLocked(cpu, parent, signal, killed ? CLD_KILLED : CLD_EXITED, load<u32>(p, PR_PID), uid, value);
  }
  return gone;
}

/**
 * The first process ends: every other one is killed. How many processes live, itself
 * among them: the caller asks again, after each Wake, until it is alone (kernel/pid_namespace.c:zap_pid_ns_processes).
 */
export function killOthers(cpu: usize): u32 {
  lock(cpu, TASK_LOCK);
  const own = ownProcess(cpu);
  let live: u32 = 1;
  const n = load<u32>(PROCESSES_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const p = processRecord(i);
    if (p == own || atomic.load<u32>(p, PR_STATE) != PROCESS_LIVE) continue;
    beginExitLocked(p, SIGKILL, 0);
    live++;
  }
  unlock(TASK_LOCK);
  return live;
}
