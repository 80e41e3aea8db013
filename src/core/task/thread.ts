/**
 * Threads of the guest and the pool of workers that become them.
 *
 *   none ──worker started──► idle ──clone claims──► claimed ──clone starts──► live ──exit──► idle …
 *
 * Why        a worker takes tens of milliseconds to start, a clone must not: workers wait here, their core instantiated,
 *            on their own state word, offline, so no shootdown or grace period knows them.
 * Promise    a claimed worker belongs to one clone; after startThread it runs that thread and no other.
 * Ordering   the parent fills the child's hart and record, then stores `live` (atomic) and notifies; the child reads
 *            `live` (atomic) and so sees all of it.
 * Locks      taskLock for every change of state, list and count. The waiting worker only peeks its state word.
 *
 *   state      u32 atomic.  write: taskLock held;  peek: the worker itself, asleep on it
 *   retired    u64 atomic.  write: the worker, as a thread ends;  peek: statistics
 *   longs      u64 each  private to the thread, except that clone writes them before the thread lives
 *   began, slept, asleep   f64 atomic.  write: the owner;  peek: who sums up its process's time
 */
import { Errno } from "../abi/errno";
import { Pending } from "../abi/pending";
import { ClaimFlag, ThreadLong, ThreadWord } from "../abi/word";
import { cpuArea, cpuId, post, takePending } from "../sync/cpu";
import { now, waitWord } from "../sync/env";
import { lock, unlock } from "../sync/spinlock";
import { dropActionsLocked, freeProcessLocked, newProcessLocked, takeIdLocked, vforkDoneLocked } from "./process";
import {
  IDLE_COUNT,
  IDLE_HEAD,
  LIVE_THREADS,
  MAX_LIVE,
  NEXT_TID,
  PR_EXEC,
  PR_EXIT,
  PR_PID,
  PR_THREADS,
  processOf,
  STATE_CLAIMED,
  STATE_IDLE,
  STATE_LIVE,
  T_ASLEEP,
  T_AWAITED,
  T_BEGAN,
  T_BUCKET,
  T_LONGS,
  T_MASK,
  T_NEXT_IDLE,
  T_PENDING,
  T_PROCESS,
  T_RETIRED,
  T_SLEPT,
  T_STATE,
  T_TID,
  T_VFORK,
  TASK_LOCK,
  THREADS_SEEN,
  threadRecord,
} from "./region";

const SS_DISABLE: u64 = 2;

/** Once, before any thread: ids start at `firstTid`, at most `maxLive` threads live at once. */
export function initThreads(firstTid: u32, maxLive: u32): void {
  store<u32>(NEXT_TID, firstTid);
  store<u32>(MAX_LIVE, maxLive);
}

/** This CPU's worker has nothing to run: puts it on top of the idle list. What its last thread was told is not the next's. */
export function joinPool(cpu: usize): void {
  const id = cpuId(cpu);
  const t = threadRecord(id);
  lock(cpu, TASK_LOCK);
  takePending(cpu, Pending.Stop | Pending.Kick | Pending.Wake);
  idleLocked(t, id);
  unlock(TASK_LOCK);
}

function idleLocked(t: usize, index: u32): void {
  atomic.store<u32>(t, STATE_IDLE, T_STATE);
  store<u32>(t, load<u32>(IDLE_HEAD), T_NEXT_IDLE);
  store<u32>(IDLE_HEAD, index + 1);
  atomic.store<u32>(IDLE_COUNT, atomic.load<u32>(IDLE_COUNT) + 1);
}

/** Workers that wait for a thread; racy, for whoever keeps spares. */
export function idleWorkersRacy(): u32 {
  return atomic.load<u32>(IDLE_COUNT);
}

/** Sleeps, offline, until a clone makes this worker a thread. A kick sent since it lives stays for it to take. */
export function awaitThread(cpu: usize): void {
  const word = threadRecord(cpuId(cpu)) + T_STATE;
  let state = atomic.load<u32>(word);
  while (state != STATE_LIVE) {
    waitWord(word, state, -1);
    state = atomic.load<u32>(word);
  }
}

/**
 * An idle worker for a thread of the own process or, with ClaimFlag.Process, of a new one: its CPU index, its id and process
 * given; -EAGAIN at the limit of threads or processes, -EBUSY when no worker is idle yet.
 */
export function claimWorker(cpu: usize, flags: u32, exitSignal: u32): i32 {
  lock(cpu, TASK_LOCK);
  const result = claimLocked(cpu, flags, exitSignal);
  unlock(TASK_LOCK);
  return result;
}

function claimLocked(cpu: usize, flags: u32, exitSignal: u32): i32 {
  if (load<u32>(LIVE_THREADS) >= load<u32>(MAX_LIVE)) return -Errno.EAGAIN;
  if (load<u32>(IDLE_HEAD) == 0) return -Errno.EBUSY;
  const own = threadRecord(cpuId(cpu));
  const id = takeIdLocked();
  let process = processOf(own);
  if ((flags & ClaimFlag.Process) != 0) process = newProcessLocked(cpu, process, id, flags, exitSignal);
  if (process == 0) return -Errno.EAGAIN;
  const index = load<u32>(IDLE_HEAD) - 1;
  const t = threadRecord(index);
  store<u32>(IDLE_HEAD, load<u32>(t, T_NEXT_IDLE));
  atomic.store<u32>(IDLE_COUNT, atomic.load<u32>(IDLE_COUNT) - 1);
  becomeThreadLocked(t, index, id, process);
  copyLongs(t, own, flags);
  return <i32>index;
}

/** The first thread of the machine, on this CPU, of the first process: its id. */
export function firstThread(cpu: usize): u32 {
  const id = cpuId(cpu);
  const t = threadRecord(id);
  lock(cpu, TASK_LOCK);
  const tid = takeIdLocked();
  becomeThreadLocked(t, id, tid, newProcessLocked(cpu, 0, tid, 0, 0));
  setLong(t, ThreadLong.AltFlags, SS_DISABLE);
  atomic.store<u32>(t, STATE_LIVE, T_STATE);
  unlock(TASK_LOCK);
  setTime(t, T_BEGAN, now());
  return tid;
}

function becomeThreadLocked(t: usize, index: u32, tid: u32, process: usize): void {
  atomic.store<u32>(t, STATE_CLAIMED, T_STATE);
  store<u32>(t, tid, T_TID);
  store<u32>(t, <u32>process, T_PROCESS);
  atomic.store<u64>(t, 0, T_PENDING);
  atomic.store<u64>(t, 0, T_AWAITED);
  atomic.store<u32>(t, 0, T_VFORK);
  setTime(t, T_SLEPT, 0.0);
  setTime(t, T_ASLEEP, 0.0);
  memory.fill(t + T_LONGS, 0, 64);
  store<u32>(process, load<u32>(process, PR_THREADS) + 1, PR_THREADS);
  store<u32>(LIVE_THREADS, load<u32>(LIVE_THREADS) + 1);
  if (load<u32>(THREADS_SEEN) < index + 1) store<u32>(THREADS_SEEN, index + 1);
}

function copyLongs(t: usize, from: usize, flags: u32): void {
  setLong(t, ThreadLong.NameLow, long(from, ThreadLong.NameLow));
  setLong(t, ThreadLong.NameHigh, long(from, ThreadLong.NameHigh));
  setLong(t, ThreadLong.AltFlags, SS_DISABLE);
  if ((flags & ClaimFlag.AltStack) == 0) return;
  setLong(t, ThreadLong.AltSp, long(from, ThreadLong.AltSp));
  setLong(t, ThreadLong.AltSize, long(from, ThreadLong.AltSize));
  setLong(t, ThreadLong.AltFlags, long(from, ThreadLong.AltFlags));
}

/** The claimed worker runs from here on, unless its process ends or executes; mask and the tid words as clone(2) has them. */
export function startThread(cpu: usize, index: u32, mask: u64, clearTid: u64, setTid: u64): void {
  const t = threadRecord(index);
  atomic.store<u64>(t, mask, T_MASK);
  setLong(t, ThreadLong.ClearTid, clearTid);
  setLong(t, ThreadLong.SetTid, setTid);
  setTime(t, T_BEGAN, now());
  lock(cpu, TASK_LOCK);
  atomic.store<u32>(t, STATE_LIVE, T_STATE);
  const p = processOf(t);
  if (atomic.load<u32>(p, PR_EXIT) != 0 || load<u32>(p, PR_EXEC) != 0) post(cpuArea(index), Pending.Stop);
  unlock(TASK_LOCK);
  atomic.notify(t + T_STATE, 1);
}

/** A claim given up: the worker is idle again, and its process, if the claim made one, never was. */
export function unclaimWorker(cpu: usize, index: u32): void {
  const t = threadRecord(index);
  lock(cpu, TASK_LOCK);
  const p = processOf(t);
  const left = load<u32>(p, PR_THREADS) - 1;
  store<u32>(p, left, PR_THREADS);
  store<u32>(LIVE_THREADS, load<u32>(LIVE_THREADS) - 1);
  if (left == 0) {
    vforkDoneLocked(p);
    dropActionsLocked(p);
    freeProcessLocked(p);
  } else if (left == 1 && load<u32>(p, PR_EXEC) != 0) post(cpuArea(load<u32>(p, PR_EXEC) - 1), Pending.Wake);
  idleLocked(t, index);
  unlock(TASK_LOCK);
}

export function liveThreads(cpu: usize): u32 {
  lock(cpu, TASK_LOCK);
  const n = load<u32>(LIVE_THREADS);
  unlock(TASK_LOCK);
  return n;
}

/** `n` instructions of the own CPU are past: of a thread that ends, of a program that is replaced. */
export function addRetired(cpu: usize, n: u64): void {
  const t = threadRecord(cpuId(cpu));
  atomic.store<u64>(t, atomic.load<u64>(t, T_RETIRED) + n, T_RETIRED);
}

/** Instructions of the threads that ended on CPU `index`, and of programs that others of its replaced. */
export function retiredBefore(index: u32): u64 {
  return atomic.load<u64>(threadRecord(index), T_RETIRED);
}

export function threadTid(index: u32): u32 {
  return load<u32>(threadRecord(index), T_TID);
}

function long(t: usize, which: u32): u64 {
  return load<u64>(t + T_LONGS + ((<usize>which) << 3));
}

function setLong(t: usize, which: u32, value: u64): void {
  store<u64>(t + T_LONGS + ((<usize>which) << 3), value);
}

/** A ThreadLong of the own thread. */
export function ownLong(cpu: usize, which: u32): u64 {
  return long(threadRecord(cpuId(cpu)), which);
}

export function setOwnLong(cpu: usize, which: u32, value: u64): void {
  setLong(threadRecord(cpuId(cpu)), which, value);
}

function setTime(t: usize, field: usize, ns: f64): void {
  atomic.store<u64>(t + field, reinterpret<u64>(ns));
}

/** The thread sleeps from `sinceNs` on: time that its process does not use. */
export function sleepBegins(cpu: usize, sinceNs: f64): void {
  setTime(threadRecord(cpuId(cpu)), T_ASLEEP, sinceNs);
}

/** It is awake; `sleptNs` were spent asleep. */
export function sleepEnds(cpu: usize, sleptNs: f64): void {
  const t = threadRecord(cpuId(cpu));
  setTime(t, T_SLEPT, reinterpret<f64>(atomic.load<u64>(t, T_SLEPT)) + sleptNs);
  setTime(t, T_ASLEEP, 0.0);
}

/** A word of the thread record of CPU `index` for the state dump; racy. */
export function threadWord(index: u32, word: u32): u32 {
  const t = threadRecord(index);
  if (word == ThreadWord.State) return atomic.load<u32>(t, T_STATE);
  if (word == ThreadWord.Tid) return load<u32>(t, T_TID);
  if (word == ThreadWord.Bucket) return atomic.load<u32>(t, T_BUCKET);
  if (word == ThreadWord.Pid) return atomic.load<u32>(t, T_STATE) > STATE_IDLE ? load<u32>(processOf(t), PR_PID) : 0;
  return 0;
}
