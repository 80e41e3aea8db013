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
 *   clearTid   u64  private to the thread, except that clone writes it before the thread lives
 */
import { Errno } from "../abi/errno";
import { Pending } from "../abi/pending";
import { ThreadWord } from "../abi/word";
import { cpuArea, cpuId, post } from "../sync/cpu";
import { waitWord } from "../sync/env";
import { lock, unlock } from "../sync/spinlock";
import { dropQueue } from "./queue";
import {
  EXITING,
  IDLE_COUNT,
  IDLE_HEAD,
  LIVE_THREADS,
  MAX_LIVE,
  NEXT_TID,
  PROCESS_EXIT,
  STATE_CLAIMED,
  STATE_IDLE,
  STATE_LIVE,
  T_AWAITED,
  T_BUCKET,
  T_CLEAR_TID,
  T_MASK,
  T_NEXT_IDLE,
  T_PENDING,
  T_RETIRED,
  T_STATE,
  T_TID,
  TASK_LOCK,
  THREADS_SEEN,
  threadRecord,
} from "./region";
import { retargetLocked } from "./signal";

/** Once, before any thread: ids start at `firstTid`, at most `maxLive` threads live at once. */
export function initThreads(firstTid: u32, maxLive: u32): void {
  store<u32>(NEXT_TID, firstTid);
  store<u32>(MAX_LIVE, maxLive);
}

/** This CPU's worker has nothing to run: puts it on top of the idle list. */
export function joinPool(cpu: usize): void {
  const id = cpuId(cpu);
  const t = threadRecord(id);
  lock(cpu, TASK_LOCK);
  atomic.store<u32>(t, STATE_IDLE, T_STATE);
  store<u32>(t, load<u32>(IDLE_HEAD), T_NEXT_IDLE);
  store<u32>(IDLE_HEAD, id + 1);
  atomic.store<u32>(IDLE_COUNT, atomic.load<u32>(IDLE_COUNT) + 1);
  unlock(TASK_LOCK);
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

/** Takes an idle worker for a new thread: its CPU index, or -EAGAIN at the limit, or -EBUSY when none is idle just now. */
export function claimWorker(cpu: usize): i32 {
  lock(cpu, TASK_LOCK);
  const head = load<u32>(IDLE_HEAD);
  let result: i32 = -Errno.EBUSY;
  if (load<u32>(LIVE_THREADS) >= load<u32>(MAX_LIVE) || atomic.load<u32>(PROCESS_EXIT) != 0) {
    result = -Errno.EAGAIN;
  } else if (head != 0) {
    const t = threadRecord(head - 1);
    store<u32>(IDLE_HEAD, load<u32>(t, T_NEXT_IDLE));
    atomic.store<u32>(IDLE_COUNT, atomic.load<u32>(IDLE_COUNT) - 1);
    becomeThread(t, head - 1);
    result = <i32>(head - 1);
  }
  unlock(TASK_LOCK);
  return result;
}

/** The first thread has no parent to claim its worker: it claims itself and is live at once. Returns its tid. */
export function firstThread(cpu: usize): u32 {
  const id = cpuId(cpu);
  const t = threadRecord(id);
  lock(cpu, TASK_LOCK);
  becomeThread(t, id);
  atomic.store<u32>(t, STATE_LIVE, T_STATE);
  unlock(TASK_LOCK);
  return load<u32>(t, T_TID);
}

function becomeThread(t: usize, index: u32): void {
  atomic.store<u32>(t, STATE_CLAIMED, T_STATE);
  const tid = load<u32>(NEXT_TID);
  store<u32>(NEXT_TID, tid + 1);
  store<u32>(t, tid, T_TID);
  store<u64>(t, 0, T_CLEAR_TID);
  atomic.store<u64>(t, 0, T_PENDING);
  atomic.store<u64>(t, 0, T_AWAITED);
  store<u32>(LIVE_THREADS, load<u32>(LIVE_THREADS) + 1);
  if (load<u32>(THREADS_SEEN) < index + 1) store<u32>(THREADS_SEEN, index + 1);
}

/** The claimed worker runs from here on; mask and clearTid as clone(2) has them. */
export function startThread(cpu: usize, index: u32, mask: u64, clearTid: u64): void {
  const t = threadRecord(index);
  atomic.store<u64>(t, mask, T_MASK);
  store<u64>(t, clearTid, T_CLEAR_TID);
  lock(cpu, TASK_LOCK);
  atomic.store<u32>(t, STATE_LIVE, T_STATE);
  const exiting = atomic.load<u32>(PROCESS_EXIT) != 0;
  unlock(TASK_LOCK);
  if (exiting) post(cpuArea(index), Pending.Stop);
  atomic.notify(t + T_STATE, 1);
}

/** A claim given up: the worker is idle again. */
export function unclaimWorker(cpu: usize, index: u32): void {
  const t = threadRecord(index);
  lock(cpu, TASK_LOCK);
  atomic.store<u32>(t, STATE_IDLE, T_STATE);
  store<u32>(LIVE_THREADS, load<u32>(LIVE_THREADS) - 1);
  store<u32>(t, load<u32>(IDLE_HEAD), T_NEXT_IDLE);
  store<u32>(IDLE_HEAD, index + 1);
  atomic.store<u32>(IDLE_COUNT, atomic.load<u32>(IDLE_COUNT) + 1);
  unlock(TASK_LOCK);
}

/** The thread of this CPU is over after `retired` instructions; signals sent to it are dropped. How many still live. */
export function endThread(cpu: usize, retired: u64): u32 {
  const t = threadRecord(cpuId(cpu));
  atomic.store<u64>(t, atomic.load<u64>(t, T_RETIRED) + retired, T_RETIRED);
  lock(cpu, TASK_LOCK);
  atomic.store<u32>(t, STATE_CLAIMED, T_STATE);
  dropQueue(t);
  retargetLocked(cpu, ~(<u64>0));
  const left = load<u32>(LIVE_THREADS) - 1;
  store<u32>(LIVE_THREADS, left);
  unlock(TASK_LOCK);
  return left;
}

/** Ends the process with `status` (a wait status word's low 16 bits) unless it is ending already; stops every thread. */
export function beginExit(cpu: usize, status: u32): bool {
  lock(cpu, TASK_LOCK);
  const first = atomic.load<u32>(PROCESS_EXIT) == 0;
  if (first) {
    atomic.store<u32>(PROCESS_EXIT, EXITING | status);
    const n = load<u32>(THREADS_SEEN);
    for (let i: u32 = 0; i < n; i++) {
      if (i != cpuId(cpu) && atomic.load<u32>(threadRecord(i), T_STATE) == STATE_LIVE) post(cpuArea(i), Pending.Stop);
    }
  }
  unlock(TASK_LOCK);
  return first;
}

export function exiting(): bool {
  return atomic.load<u32>(PROCESS_EXIT) != 0;
}

export function liveThreads(cpu: usize): u32 {
  lock(cpu, TASK_LOCK);
  const n = load<u32>(LIVE_THREADS);
  unlock(TASK_LOCK);
  return n;
}

/** Instructions of the threads that ended on CPU `index`. */
export function retiredBefore(index: u32): u64 {
  return atomic.load<u64>(threadRecord(index), T_RETIRED);
}

export function threadTid(index: u32): u32 {
  return load<u32>(threadRecord(index), T_TID);
}

export function getClearTid(cpu: usize): u64 {
  return load<u64>(threadRecord(cpuId(cpu)), T_CLEAR_TID);
}

export function setClearTid(cpu: usize, address: u64): void {
  store<u64>(threadRecord(cpuId(cpu)), address, T_CLEAR_TID);
}

/** A word of the thread record of CPU `index` for the state dump; racy. */
export function threadWord(index: u32, word: u32): u32 {
  const t = threadRecord(index);
  if (word == ThreadWord.State) return atomic.load<u32>(t, T_STATE);
  if (word == ThreadWord.Tid) return load<u32>(t, T_TID);
  if (word == ThreadWord.Bucket) return atomic.load<u32>(t, T_BUCKET);
  return 0;
}
