/**
 * The task region: what threads of the guest process share beyond memory. One record a CPU, since a guest thread is a CPU.
 *
 *        0 ┌───────────────────────────────────────────────────┐
 *          │ process line: lock, exit word, tids, idle workers │
 *       64 │ shared pending set, queue head; host's signals    │ lock
 *      256 │ dispositions, 64 × 24                             │ lock
 *     2048 │ futex buckets, 256 × 16                           │ each its own lock (futex.ts)
 *     8192 │ threads, 256 × 128                                │ lock; the waiter part: its bucket's lock
 *    40960 │ signal records, 512 × 32                          │ lock
 *    57344 │ timers, 128 × 64                                  │ lock
 *    65536 └───────────────────────────────────────────────────┘
 *
 * Locks    taskLock, then nothing: what holds it takes no other lock and touches no guest memory.
 *          A futex bucket's lock may be held with a second bucket's, in order of address; never with taskLock.
 */
import { TASK_REGION } from "../sync/layout";

export const TASK_LOCK: usize = TASK_REGION;
/** 0 while the process lives, then EXITING | status. Written once, under taskLock; peeked by all. Atomic. */
export const PROCESS_EXIT: usize = TASK_REGION + 4;
/** The next thread id; under taskLock. */
export const NEXT_TID: usize = TASK_REGION + 8;
/** Threads in state Live; under taskLock. */
export const LIVE_THREADS: usize = TASK_REGION + 12;
/** 1 + CPU index of the idle worker that went idle last; under taskLock. */
export const IDLE_HEAD: usize = TASK_REGION + 16;
/** Idle workers; written under taskLock, peeked by the machine that keeps spares. Atomic. */
export const IDLE_COUNT: usize = TASK_REGION + 20;
/** Most threads that may live; immutable after the machine starts. */
export const MAX_LIVE: usize = TASK_REGION + 24;
/** 1 + the highest CPU index that ever was a thread; under taskLock. */
export const THREADS_SEEN: usize = TASK_REGION + 28;

export const EXITING: u32 = 0x8000_0000;

/** Signals sent to the process: set (u64, written under taskLock, peeked without) and the records that carry more. */
export const SHARED_PENDING: usize = TASK_REGION + 64;
export const SHARED_QUEUE: usize = TASK_REGION + 72;
/** Head of the free signal records; under taskLock. */
export const FREE_RECORDS: usize = TASK_REGION + 76;
/** Signals from the host, not yet sent on (u64 set, atomic): the host takes no lock. */
export const HOST_PENDING: usize = TASK_REGION + 80;
/** 1 while a timer is due that nobody has fired yet (atomic): set by the host, taken under taskLock. */
export const HOST_TIMER: usize = TASK_REGION + 88;

/** Disposition of signal n: {handler u64, flags u64, mask u64} at ACTIONS + (n - 1) * 24. */
export const ACTIONS: usize = TASK_REGION + 256;
export const ACTION_BYTES: usize = 24;

export const BUCKETS: usize = TASK_REGION + 2048;
export const BUCKET_COUNT: u32 = 256;

export const THREADS: usize = TASK_REGION + 8192;
export const THREAD_BYTES: usize = 128;
export const MAX_CPUS: u32 = 256;

export const RECORDS: usize = TASK_REGION + 40960;
export const RECORD_BYTES: usize = 32;
export const RECORD_COUNT: u32 = 512;

export const TIMERS: usize = TASK_REGION + 57344;
export const TIMER_BYTES: usize = 64;

/** Fields of a thread record. */
export const T_STATE: usize = 0;
export const T_TID: usize = 4;
export const T_NEXT_IDLE: usize = 8;
export const T_QUEUE: usize = 12;
export const T_PENDING: usize = 16;
export const T_MASK: usize = 24;
export const T_AWAITED: usize = 32;
export const T_CLEAR_TID: usize = 40;
/** The futex waiter: links and key, under the lock of the bucket that T_BUCKET names. */
export const T_NEXT: usize = 48;
export const T_PREV: usize = 52;
export const T_BUCKET: usize = 56;
export const T_BITSET: usize = 60;
export const T_ADDRESS: usize = 64;

/** Instructions of threads that ended on this CPU; atomic, written by the worker. */
export const T_RETIRED: usize = 72;

/** Fields of a signal record. */
export const S_NEXT: usize = 0;
export const S_SIGNAL: usize = 4;
export const S_CODE: usize = 8;
export const S_PID: usize = 12;
export const S_UID: usize = 16;
export const S_VALUE: usize = 24;

/** A thread record's state. */
export const STATE_NONE: u32 = 0;
export const STATE_IDLE: u32 = 1;
export const STATE_CLAIMED: u32 = 2;
export const STATE_LIVE: u32 = 3;

export function threadRecord(index: u32): usize {
  return THREADS + <usize>index * THREAD_BYTES;
}

export function threadIndex(record: usize): u32 {
  return <u32>((record - THREADS) / THREAD_BYTES);
}
