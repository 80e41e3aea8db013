/**
 * Queues of signal records: who sent a pending signal, and why (siginfo). All under taskLock.
 *
 *   thread or process ─► record ─► record ─► 0        oldest first; addresses as u32
 *
 * A pending set without a record still delivers the signal, with an empty siginfo: standard signals are never refused
 * for lack of a record, real-time ones are (EAGAIN), as Linux: kernel/signal.c:__send_signal_locked.
 */
import {
  FREE_RECORDS,
  PR_PENDING,
  PR_QUEUE,
  processOf,
  RECORD_BYTES,
  RECORD_COUNT,
  RECORDS,
  S_CODE,
  S_NEXT,
  S_PID,
  S_SIGNAL,
  S_UID,
  S_VALUE,
  T_PENDING,
  T_QUEUE,
  THREADS_SEEN,
  threadRecord,
} from "./region";

/** si_code of a timer's signal; its record's pid is the timer's id. */
export const SI_TIMER: i32 = -2;

/** Once, before any thread: links every record into the free list. */
export function initQueue(): void {
  let next: u32 = 0;
  for (let i: u32 = 0; i < RECORD_COUNT; i++) {
    const record = RECORDS + <usize>i * RECORD_BYTES;
    store<u32>(record, next, S_NEXT);
    next = <u32>record;
  }
  store<u32>(FREE_RECORDS, next);
}

/** Appends a record to the queue at `head`; false when none is free. */
export function append(head: usize, signal: u32, code: i32, pid: u32, uid: u32, value: u64): bool {
  const record = <usize>load<u32>(FREE_RECORDS);
  if (record == 0) return false;
  store<u32>(FREE_RECORDS, load<u32>(record, S_NEXT));
  store<u32>(record, 0, S_NEXT);
  store<u32>(record, signal, S_SIGNAL);
  store<i32>(record, code, S_CODE);
  store<u32>(record, pid, S_PID);
  store<u32>(record, uid, S_UID);
  store<u64>(record, value, S_VALUE);
  let link = head;
  while (load<u32>(link) != 0) link = <usize>load<u32>(link) + S_NEXT;
  store<u32>(link, <u32>record);
  return true;
}

/** The oldest record of `signal`, unlinked but not yet free; 0 when there is none. */
export function unlink(head: usize, signal: u32): usize {
  let link = head;
  let record = <usize>load<u32>(link);
  while (record != 0) {
    if (load<u32>(record, S_SIGNAL) == signal) {
      store<u32>(link, load<u32>(record, S_NEXT));
      return record;
    }
    link = record + S_NEXT;
    record = <usize>load<u32>(link);
  }
  return 0;
}

export function holds(head: usize, signal: u32): bool {
  let record = <usize>load<u32>(head);
  while (record != 0) {
    if (load<u32>(record, S_SIGNAL) == signal) return true;
    record = <usize>load<u32>(record, S_NEXT);
  }
  return false;
}

export function release(record: usize): void {
  store<u32>(record, load<u32>(FREE_RECORDS), S_NEXT);
  store<u32>(FREE_RECORDS, <u32>record);
}

/** Drops the record of timer `id` of `process`, wherever it is queued, and the pending bit that stood for it alone. */
export function dropTimerRecords(process: usize, id: u32): void {
  if (dropTimerRecord(process + PR_PENDING, process + PR_QUEUE, id)) return;
  const n = load<u32>(THREADS_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const t = threadRecord(i);
    if (processOf(t) == process && dropTimerRecord(t + T_PENDING, t + T_QUEUE, id)) return;
  }
}

function dropTimerRecord(set: usize, head: usize, id: u32): bool {
  let link = head;
  let record = <usize>load<u32>(link);
  while (record != 0 && (load<i32>(record, S_CODE) != SI_TIMER || load<u32>(record, S_PID) != id)) {
    link = record + S_NEXT;
    record = <usize>load<u32>(link);
  }
  if (record == 0) return false;
  store<u32>(link, load<u32>(record, S_NEXT));
  const signal = load<u32>(record, S_SIGNAL);
  if (!holds(head, signal)) atomic.store<u64>(set, atomic.load<u64>(set) & ~(u64(1) << u64(signal - 1)));
  release(record);
  return true;
}

/** Empties the set and queue of a thread or process that ends. */
export function dropQueue(set: usize, queue: usize): void {
  atomic.store<u64>(set, 0);
  let record = <usize>load<u32>(queue);
  store<u32>(queue, 0);
  while (record != 0) {
    const next = <usize>load<u32>(record, S_NEXT);
    release(record);
    record = next;
  }
}
