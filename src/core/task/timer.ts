/**
 * Timers: timer_create(2) and setitimer(2). When one expires its signal is queued, and whoever takes it learns how many
 * expirations it stands for.
 *
 * Who fires  the main thread's event loop knows the earliest deadline and nothing else (nextTimer). When that has come it
 *            sets HOST_TIMER and kicks every live thread (timersDue); the first that looks for signals fires what is due.
 * No expiry lost   deadlines are compared under taskLock with the clock read there: what is due then is fired by that
 *            thread, what is not yet is still ahead of nextTimer. Who arms a timer tells the main thread afterwards.
 * Each once  an expiration moves the deadline by whole intervals, or disarms, under the same lock: nobody else sees it due.
 * Overruns   a timer's signal is queued at most once; expirations meanwhile are counted, up to the moment it is taken.
 *
 * Whose      each timer is one process's; setitimer's is in the process record. Ids are places in the table, and another
 *            process's id is as good as none.
 *
 *   timer    {state, signal, tid, overrun, value u64, deadline f64, interval f64, queued, last, clock, process}   64 bytes,
 *            under taskLock
 *            deadline: ns of now(), 0 disarmed; atomic, since the main thread scans without the lock: a stale one only
 *            makes it look once too often
 * Linux: compare kernel/time/posix-timers.c, itimer.c.
 */
import { Errno } from "../abi/errno";
import { Pending } from "../abi/pending";
import { cpuArea, post } from "../sync/cpu";
import { now } from "../sync/env";
import { lock, unlock } from "../sync/spinlock";
import { ownProcess } from "./process";
import { dropTimerRecords } from "./queue";
import {
  HOST_TIMER,
  isLive,
  PR_ITIMER,
  PR_STATE,
  PROCESS_FREE,
  PROCESS_LIVE,
  PROCESSES_SEEN,
  processOf,
  processRecord,
  TASK_LOCK,
  THREADS_SEEN,
  TIMER_BYTES,
  TIMERS,
  threadRecord,
} from "./region";
import { findLocked, sendTimerLocked, signalProcessLocked } from "./signal";

/** The id that names the own process's ITIMER_REAL; smaller ones are timer_create's. */
export const ITIMER: u32 = 128;
const SIGALRM: u32 = 14;
const SI_KERNEL: i32 = 0x80;

const FREE: u32 = 0;
const USED: u32 = 1;

const M_STATE: usize = 0;
const M_SIGNAL: usize = 4;
const M_TID: usize = 8;
const M_OVERRUN: usize = 12;
const M_VALUE: usize = 16;
const M_DEADLINE: usize = 24;
const M_INTERVAL: usize = 32;
const M_QUEUED: usize = 40;
const M_LAST: usize = 44;
const M_CLOCK: usize = 48;
const M_PROCESS: usize = 52;

function timer(id: u32): usize {
  return TIMERS + <usize>id * TIMER_BYTES;
}

function deadline(m: usize): f64 {
  return reinterpret<f64>(atomic.load<u64>(m, M_DEADLINE));
}

function setDeadline(m: usize, ns: f64): void {
  atomic.store<u64>(m, reinterpret<u64>(ns), M_DEADLINE);
}

/** Timer `id` of a process, or 0. */
function usedLocked(process: usize, id: u32): usize {
  if (id == ITIMER) return process + PR_ITIMER;
  if (id > ITIMER || load<u32>(timer(id), M_STATE) != USED) return 0;
  return <usize>load<u32>(timer(id), M_PROCESS) == process ? timer(id) : 0;
}

/**
 * A disarmed timer: its id; -EAGAIN (none left) or -EINVAL (no such thread). signal 0: it only counts (SIGEV_NONE).
 * tid 0: to the process. `ownId`: the value is the id (timer_create without a sigevent).
 */
export function timerCreate(cpu: usize, clock: u32, signal: u32, tid: u32, value: u64, ownId: bool): i32 {
  lock(cpu, TASK_LOCK);
  let result: i32 = -Errno.EAGAIN;
  const process = ownProcess(cpu);
  const thread = tid == 0 ? -1 : findLocked(tid);
  if (tid != 0 && (thread < 0 || processOf(threadRecord(thread)) != process)) result = -Errno.EINVAL;
  else {
    for (let id: u32 = 0; id < ITIMER && result == -Errno.EAGAIN; id++) {
      const m = timer(id);
      if (load<u32>(m, M_STATE) != FREE) continue;
      memory.fill(m, 0, TIMER_BYTES);
      store<u32>(m, USED, M_STATE);
      store<u32>(m, signal, M_SIGNAL);
      store<u32>(m, clock, M_CLOCK);
      store<u32>(m, <u32>process, M_PROCESS);
      store<u32>(m, tid, M_TID);
      store<u64>(m, ownId ? <u64>id : value, M_VALUE);
      result = <i32>id;
    }
  }
  unlock(TASK_LOCK);
  return result;
}

/** Arms for `deadlineNs`, then every `intervalNs`; 0 disarms. What was left, and the old interval, go to `out` as two f64. */
export function timerSet(cpu: usize, id: u32, deadlineNs: f64, intervalNs: f64, out: usize): i32 {
  lock(cpu, TASK_LOCK);
  const m = usedLocked(ownProcess(cpu), id);
  if (m != 0) {
    leftLocked(m, out);
    setDeadline(m, deadlineNs);
    store<f64>(m, intervalNs, M_INTERVAL);
    store<u32>(m, 0, M_OVERRUN);
    // A signal of the old setting that nobody took yet is not this one's.
    if (load<u32>(m, M_QUEUED) != 0) dropTimerRecords(ownProcess(cpu), id);
    store<u32>(m, 0, M_QUEUED);
  }
  unlock(TASK_LOCK);
  return m == 0 ? -Errno.EINVAL : 0;
}

/** What is left and the interval, two f64 to `out`. */
export function timerGet(cpu: usize, id: u32, out: usize): i32 {
  lock(cpu, TASK_LOCK);
  const m = usedLocked(ownProcess(cpu), id);
  if (m != 0) leftLocked(m, out);
  unlock(TASK_LOCK);
  return m == 0 ? -Errno.EINVAL : 0;
}

/** An armed timer always has something left: 1 ns when it is due and not fired yet. */
function leftLocked(m: usize, out: usize): void {
  const at = deadline(m);
  const interval = load<f64>(m, M_INTERVAL);
  let left = at == 0.0 ? 0.0 : at - now();
  if (at != 0.0 && left < 1.0) {
    if (load<u32>(m, M_SIGNAL) != 0 || interval == 0.0) left = load<u32>(m, M_SIGNAL) != 0 ? 1.0 : 0.0;
    else left += (floor<f64>(-left / interval) + 1.0) * interval;
  }
  store<f64>(out, left);
  store<f64>(out, interval, 8);
}

/** The clock it was created on, or -EINVAL. */
export function timerClock(cpu: usize, id: u32): i32 {
  lock(cpu, TASK_LOCK);
  const m: usize = id == ITIMER ? 0 : usedLocked(ownProcess(cpu), id);
  const result: i32 = m == 0 ? -Errno.EINVAL : load<i32>(m, M_CLOCK);
  unlock(TASK_LOCK);
  return result;
}

/** Expirations beyond the one that the last signal taken stood for; -EINVAL. */
export function timerOverrun(cpu: usize, id: u32): i32 {
  lock(cpu, TASK_LOCK);
  const m: usize = id == ITIMER ? 0 : usedLocked(ownProcess(cpu), id);
  const result: i32 = m == 0 ? -Errno.EINVAL : load<i32>(m, M_LAST);
  unlock(TASK_LOCK);
  return result;
}

/** A signal of it that nobody took yet goes with it. */
export function timerDelete(cpu: usize, id: u32): i32 {
  lock(cpu, TASK_LOCK);
  const m: usize = id == ITIMER ? 0 : usedLocked(ownProcess(cpu), id);
  if (m != 0) dropLocked(ownProcess(cpu), id);
  unlock(TASK_LOCK);
  return m == 0 ? -Errno.EINVAL : 0;
}

function dropLocked(process: usize, id: u32): void {
  const m = timer(id);
  if (load<u32>(m, M_QUEUED) != 0) dropTimerRecords(process, id);
  setDeadline(m, 0.0);
  store<u32>(m, FREE, M_STATE);
}

/** All timers of a process that ends or executes; with `interval` setitimer's too. taskLock held. */
export function dropTimersLocked(process: usize, interval: bool): void {
  for (let id: u32 = 0; id < ITIMER; id++) if (usedLocked(process, id) != 0) dropLocked(process, id);
  if (interval) setDeadline(process + PR_ITIMER, 0.0);
}

/** The main thread: when it must call timersDue() next, as now(); negative: nothing is armed. Racy, without the lock. */
export function nextTimer(): f64 {
  const from = now();
  let next: f64 = -1.0;
  for (let id: u32 = 0; id < ITIMER; id++) {
    if (load<u32>(timer(id), M_SIGNAL) != 0) next = earlier(next, timer(id), from);
  }
  const n = atomic.load<u32>(PROCESSES_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const p = processRecord(i);
    if (atomic.load<u32>(p, PR_STATE) != PROCESS_FREE) next = earlier(next, p + PR_ITIMER, from);
  }
  return next;
}

function earlier(next: f64, m: usize, from: f64): f64 {
  let at = deadline(m);
  if (at == 0.0) return next;
  const interval = load<f64>(m, M_INTERVAL);
  // Due, and fired by whom timersDue() has woken: only what comes after concerns the main thread.
  if (at <= from && interval > 0.0) at += (floor<f64>((from - at) / interval) + 1.0) * interval;
  return next < 0.0 || at < next ? at : next;
}

/** The main thread, when a deadline has come. */
export function timersDue(): void {
  atomic.store<u32>(HOST_TIMER, 1);
  const n = load<u32>(THREADS_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    if (isLive(threadRecord(i))) post(cpuArea(i), Pending.Kick);
  }
}

/** Fires every timer that is due. taskLock held. */
export function fireTimersLocked(cpu: usize): void {
  for (let id: u32 = 0; id < ITIMER; id++) {
    const n = advanceLocked(timer(id));
    if (n != 0.0) expireLocked(cpu, id, timer(id), n);
  }
  const processes = load<u32>(PROCESSES_SEEN);
  for (let i: u32 = 0; i < processes; i++) {
    const p = processRecord(i);
    if (atomic.load<u32>(p, PR_STATE) != PROCESS_LIVE || advanceLocked(p + PR_ITIMER) == 0.0) continue;
    signalProcessLocked(cpu, p, SIGALRM, SI_KERNEL, 0, 0, 0);
  }
}

/** Moves a deadline that has come; how many expirations that were. */
function advanceLocked(m: usize): f64 {
  const at = deadline(m);
  const time = now();
  if (at == 0.0 || at > time) return 0.0;
  const interval = load<f64>(m, M_INTERVAL);
  if (interval <= 0.0) {
    setDeadline(m, 0.0);
    return 1.0;
  }
  const n = floor<f64>((time - at) / interval) + 1.0;
  setDeadline(m, at + n * interval);
  return n;
}

function expireLocked(cpu: usize, id: u32, m: usize, n: f64): void {
  if (load<u32>(m, M_SIGNAL) == 0) return;
  if (load<u32>(m, M_QUEUED) != 0) {
    addOverrun(m, n);
    return;
  }
  store<u32>(m, 0, M_OVERRUN);
  const process = <usize>load<u32>(m, M_PROCESS);
  if (!sendTimerLocked(cpu, process, load<u32>(m, M_TID), load<u32>(m, M_SIGNAL), id, load<u64>(m, M_VALUE))) return;
  store<u32>(m, 1, M_QUEUED);
  addOverrun(m, n - 1.0);
}

/** DELAYTIMER_MAX is INT_MAX. */
function addOverrun(m: usize, n: f64): void {
  const sum = <f64>load<u32>(m, M_OVERRUN) + n;
  store<u32>(m, sum > 2147483647.0 ? 2147483647 : <u32>sum, M_OVERRUN);
}

/** A thread takes the signal of timer `id`: the overrun it is told. taskLock held. */
export function takenLocked(process: usize, id: u32): u32 {
  const m = usedLocked(process, id);
  if (m == 0) return 0;
  addOverrun(m, advanceLocked(m));
  const overrun = load<u32>(m, M_OVERRUN);
  store<u32>(m, overrun, M_LAST);
  store<u32>(m, 0, M_OVERRUN);
  store<u32>(m, 0, M_QUEUED);
  return overrun;
}
