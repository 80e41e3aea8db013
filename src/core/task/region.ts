/**
 * The task region: what processes and threads share beyond memory.
 *
 *        0 ┌───────────────────────────────────────────────────┐ TASK_REGION
 *          │ line: lock, ids, counts, idle workers             │ lock
 *       64 │ free signal records; host's signals and timers    │ lock; the host's atomic
 *     2048 │ futex buckets, 256 × 16                           │ each its own lock (futex.ts)
 *     8192 │ signal records, 1024 × 32                         │ lock
 *    57344 │ timers, 128 × 64                                  │ lock
 *    65536 └───────────────────────────────────────────────────┘
 *
 *          a task area for each CPU, after the CPUs' own areas
 *        0 ┌───────────────────────────────────────────────────┐ H_TASKS + 4096 × i
 *          │ process record i                                  │ lock. A process may have any record: they are a table
 *      256 │ a table of dispositions, refs then 64 × 24        │ lock. A process has one, its own or one it shares
 *     2048 │ thread record of CPU i: a guest thread is a CPU   │ lock; the waiter part: its bucket's lock
 *     4096 └───────────────────────────────────────────────────┘
 *
 * Locks    taskLock, then nothing: what holds it takes no other lock and touches no guest memory.
 *          A futex bucket's lock may be held with a second bucket's, in order of address; never with taskLock.
 */
import { H_TASKS, TASK_AREA_BYTES, TASK_REGION } from "../sync/layout";

export const TASK_LOCK: usize = TASK_REGION;
/** The next id of a thread or process; under taskLock. */
export const NEXT_TID: usize = TASK_REGION + 4;
/** 1 once ids have been through their range, so that the next may be taken; under taskLock. */
export const TIDS_AGAIN: usize = TASK_REGION + 8;
/** Threads in state Live or Claimed, of all processes; under taskLock. */
export const LIVE_THREADS: usize = TASK_REGION + 12;
/** 1 + CPU index of the idle worker that went idle last; under taskLock. */
export const IDLE_HEAD: usize = TASK_REGION + 16;
/** Idle workers; written under taskLock, peeked by the machine that keeps spares. Atomic. */
export const IDLE_COUNT: usize = TASK_REGION + 20;
/** Most threads that may live; immutable after the machine starts. */
export const MAX_LIVE: usize = TASK_REGION + 24;
/** 1 + the highest CPU index that ever was a thread; under taskLock. */
export const THREADS_SEEN: usize = TASK_REGION + 28;
/** 1 + the highest index of a process record that ever was used; under taskLock, peeked by the host. Atomic. */
export const PROCESSES_SEEN: usize = TASK_REGION + 32;
/** Processes that are not gone, zombies among them; under taskLock. */
export const PROCESS_COUNT: usize = TASK_REGION + 36;

/** Head of the free signal records; under taskLock. */
export const FREE_RECORDS: usize = TASK_REGION + 64;
/** Signals from the host, not yet sent on (u64 set, atomic): the host takes no lock. */
export const HOST_PENDING: usize = TASK_REGION + 72;
/** 1 while a timer is due that nobody has fired yet (atomic): set by the host, taken under taskLock. */
export const HOST_TIMER: usize = TASK_REGION + 80;

export const BUCKETS: usize = TASK_REGION + 2048;
export const BUCKET_COUNT: u32 = 256;

export const RECORDS: usize = TASK_REGION + 8192;
export const RECORD_BYTES: usize = 32;
export const RECORD_COUNT: u32 = 1024;

export const TIMERS: usize = TASK_REGION + 57344;
export const TIMER_BYTES: usize = 64;

/** Parts of a task area. */
const ACTIONS_PART: usize = 256;
const THREAD_PART: usize = 2048;

/** Fields of a process record (process.ts says what each is). */
export const PR_STATE: usize = 0;
export const PR_PID: usize = 4;
export const PR_PARENT: usize = 8;
export const PR_GROUP: usize = 12;
export const PR_SESSION: usize = 16;
export const PR_EXIT: usize = 20;
export const PR_THREADS: usize = 24;
export const PR_EXIT_SIGNAL: usize = 28;
export const PR_QUEUE: usize = 32;
export const PR_ACTIONS: usize = 36;
export const PR_PENDING: usize = 40;
export const PR_EXEC: usize = 48;
export const PR_VFORK: usize = 52;
export const PR_EXECED: usize = 56;
export const PR_CREATOR: usize = 60;
export const PR_USER_NS: usize = 64;
export const PR_CHILDREN_NS: usize = 72;
/** setitimer(ITIMER_REAL): a timer as in the table (timer.ts). */
export const PR_ITIMER: usize = 128;
export const PROCESS_BYTES: usize = 256;

/** A process record's state. */
export const PROCESS_FREE: u32 = 0;
export const PROCESS_LIVE: u32 = 1;
export const PROCESS_ZOMBIE: u32 = 2;

/** In PR_EXIT, above the wait status: the process ends or has ended. */
export const EXITING: u32 = 0x8000_0000;

/** A table of dispositions: how many processes have it, then {handler u64, flags u64, mask u64} of signal n at (n - 1) * 24. */
export const A_REFS: usize = 0;
export const A_FIRST: usize = 8;
export const ACTION_BYTES: usize = 24;
export const ACTIONS_BYTES: usize = A_FIRST + 64 * ACTION_BYTES;

/** Fields of a thread record. */
export const T_STATE: usize = 0;
export const T_TID: usize = 4;
export const T_NEXT_IDLE: usize = 8;
export const T_QUEUE: usize = 12;
export const T_PENDING: usize = 16;
export const T_MASK: usize = 24;
export const T_AWAITED: usize = 32;
/** The process, as the address of its record. */
export const T_PROCESS: usize = 40;
/** Not 0 while the thread sleeps in vfork: atomic, cleared by the child (process.ts). */
export const T_VFORK: usize = 44;
/** The futex waiter: links and key, under the lock of the bucket that T_BUCKET names. */
export const T_NEXT: usize = 48;
export const T_PREV: usize = 52;
export const T_BUCKET: usize = 56;
export const T_BITSET: usize = 60;
export const T_PLACE: usize = 64;
export const T_OWNER: usize = 72;
/** Instructions of threads that ended on this CPU; atomic, written by the worker. */
export const T_RETIRED: usize = 80;
/** What the thread keeps for itself, ThreadLong (abi/word.ts) says which: private, but that clone writes it before it lives. */
export const T_LONGS: usize = 88;
/** Its time, f64 ns as now(): when it began, how long it slept, since when it sleeps (0: it does not). Atomic, by the owner. */
export const T_BEGAN: usize = 160;
export const T_SLEPT: usize = 168;
export const T_ASLEEP: usize = 176;
export const THREAD_BYTES: usize = 256;

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

function taskArea(index: u32): usize {
  return <usize>load<u32>(H_TASKS) + <usize>index * TASK_AREA_BYTES;
}

export function threadRecord(index: u32): usize {
  return taskArea(index) + THREAD_PART;
}

export function threadIndex(record: usize): u32 {
  return <u32>((record - <usize>load<u32>(H_TASKS)) / TASK_AREA_BYTES);
}

export function processRecord(index: u32): usize {
  return taskArea(index);
}

export function actionsTable(index: u32): usize {
  return taskArea(index) + ACTIONS_PART;
}

/** The process that the machine was started for: it ends with it. */
export function firstProcess(): usize {
  return processRecord(0);
}

export function processOf(thread: usize): usize {
  return <usize>load<u32>(thread, T_PROCESS);
}

export function isLive(thread: usize): bool {
  return atomic.load<u32>(thread, T_STATE) == STATE_LIVE;
}
