/**
 * Signals between threads and processes: pending sets, masks, dispositions.
 *
 * Promise    a signal that is pending and not blocked is claimed by exactly one thread, soon: whoever makes that state
 *            true (the sender, or the thread that unblocks) makes sure that thread looks.
 * Algorithm  send: under taskLock, drop if ignored and not blocked, else set the bit and queue the record; then pick a
 *            thread that does not block it and post Kick. A thread takes its Kick bit first and looks after.
 *            claim: under taskLock, the lowest signal of the own set, then of the process's; its record and disposition
 *            go to `out`; SA_RESETHAND is done here, so no second thread runs a one-shot handler.
 *            SIGKILL is not queued: it ends the process at once (exit.ts).
 * Race       | sender                          | receiver
 *            | set pending, read its mask      | write its mask, read pending
 *            both under taskLock: either the sender sees it unblocked and kicks, or the receiver sees it pending.
 *
 *   pending    u64 atomic.  write: taskLock;  peek: signalWaits, by the owner after a kick or a change of its mask
 *   mask       u64 atomic.  write: taskLock, by the owner only;  peek: none but the owner
 *   awaited    u64 atomic.  what sigtimedwait waits for; counts as unblocked when a thread is picked
 * Linux: compare kernel/signal.c:__send_signal_locked, complete_signal, dequeue_signal, get_signal.
 */
import { Errno } from "../abi/errno";
import { Pending } from "../abi/pending";
import { cpuArea, cpuId, post } from "../sync/cpu";
import { lock, unlock } from "../sync/spinlock";
import { beginExitLocked } from "./exit";
import { findProcessLocked, ownProcess } from "./process";
import { append, holds, release, SI_TIMER, unlink } from "./queue";
import {
  A_FIRST,
  ACTION_BYTES,
  firstProcess,
  HOST_PENDING,
  HOST_TIMER,
  isLive,
  PR_ACTIONS,
  PR_GROUP,
  PR_PENDING,
  PR_PID,
  PR_QUEUE,
  PR_STATE,
  PROCESS_FREE,
  PROCESS_LIVE,
  PROCESSES_SEEN,
  processOf,
  processRecord,
  S_CODE,
  S_PID,
  S_UID,
  S_VALUE,
  T_AWAITED,
  T_MASK,
  T_PENDING,
  T_QUEUE,
  T_TID,
  TASK_LOCK,
  THREADS_SEEN,
  threadRecord,
} from "./region";
import { fireTimersLocked, takenLocked } from "./timer";

/** SIGKILL and SIGSTOP can be neither blocked nor handled. */
const UNBLOCKABLE: u64 = (1 << 8) | (1 << 18);
const SIGKILL: u32 = 9;
const SIGCHLD: u32 = 17;
const SIGRTMIN: u32 = 32;
const SIG_DFL: u64 = 0;
const SIG_IGN: u64 = 1;
const SA_RESETHAND: u64 = 0x8000_0000;
const SA_NOCLDWAIT: u64 = 2;
/** Default action "ignore": CHLD CONT URG WINCH; and the stop signals, since this machine has no job control. */
const DEFAULT_IGNORED: u64 =
  (1 << 16) | (1 << 17) | (1 << 22) | (1 << 27) | (1 << 18) | (1 << 19) | (1 << 20) | (1 << 21);

/** Where claimSignal puts what it found. */
export const CLAIM_BYTES: u32 = 56;

function bit(signal: u32): u64 {
  return u64(1) << u64(signal - 1);
}

function action(process: usize, signal: u32): usize {
  return <usize>load<u32>(process, PR_ACTIONS) + A_FIRST + <usize>(signal - 1) * ACTION_BYTES;
}

/** What a process does on a signal: SIG_DFL, SIG_IGN or a handler's address. taskLock held. */
export function handlerOf(process: usize, signal: u32): u64 {
  return load<u64>(action(process, signal));
}

/** It wants no zombies of its children (SA_NOCLDWAIT). taskLock held. */
export function noChildWait(process: usize): bool {
  return (load<u64>(action(process, SIGCHLD), 8) & SA_NOCLDWAIT) != 0;
}

function ignored(process: usize, signal: u32): bool {
  const handler = handlerOf(process, signal);
  return handler == SIG_IGN || (handler == SIG_DFL && (DEFAULT_IGNORED & bit(signal)) != 0);
}

/** rt_sigaction(2): the old disposition goes to `out` (24 bytes) unless that is 0; `set` says whether the new one counts. */
export function changeAction(
  cpu: usize,
  signal: u32,
  out: usize,
  set: bool,
  handler: u64,
  flags: u64,
  mask: u64,
): void {
  lock(cpu, TASK_LOCK);
  const process = ownProcess(cpu);
  const a = action(process, signal);
  if (out != 0) memory.copy(out, a, ACTION_BYTES);
  if (set) {
    store<u64>(a, handler);
    store<u64>(a, flags, 8);
    store<u64>(a, mask & ~UNBLOCKABLE, 16);
    if (ignored(process, signal)) discardLocked(process, signal);
  }
  unlock(TASK_LOCK);
}

/** A signal that becomes ignored is no longer pending anywhere (sigaction(2)). */
function discardLocked(process: usize, signal: u32): void {
  discardFrom(process + PR_PENDING, process + PR_QUEUE, signal);
  const n = load<u32>(THREADS_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const t = threadRecord(i);
    if (processOf(t) == process) discardFrom(t + T_PENDING, t + T_QUEUE, signal);
  }
}

function discardFrom(set: usize, queue: usize, signal: u32): void {
  if ((atomic.load<u64>(set) & bit(signal)) == 0) return;
  atomic.store<u64>(set, atomic.load<u64>(set) & ~bit(signal));
  for (let r = unlink(queue, signal); r != 0; r = unlink(queue, signal)) release(r);
}

export function getMask(cpu: usize): u64 {
  return atomic.load<u64>(threadRecord(cpuId(cpu)), T_MASK);
}

/** The caller asks signalWaits afterwards: what was unblocked may be pending. */
export function setMask(cpu: usize, mask: u64): void {
  lock(cpu, TASK_LOCK);
  const t = threadRecord(cpuId(cpu));
  const blocked = mask & ~UNBLOCKABLE & ~atomic.load<u64>(t, T_MASK);
  atomic.store<u64>(t, mask & ~UNBLOCKABLE, T_MASK);
  retargetLocked(cpu, blocked);
  unlock(TASK_LOCK);
}

/** What sigtimedwait waits for; 0 when it is over. */
export function setAwaited(cpu: usize, set: u64): void {
  lock(cpu, TASK_LOCK);
  atomic.store<u64>(threadRecord(cpuId(cpu)), set, T_AWAITED);
  unlock(TASK_LOCK);
}

/** Signals pending for this thread or its process, blocked or not. */
export function pendingSet(cpu: usize): u64 {
  const t = threadRecord(cpuId(cpu));
  return atomic.load<u64>(t, T_PENDING) | atomic.load<u64>(processOf(t), PR_PENDING);
}

/** True when there is something to claim, it may be gone again. Sends on what the host has sent, and fires timers. */
export function signalWaits(cpu: usize): bool {
  if (hostWaits()) {
    lock(cpu, TASK_LOCK);
    takeHostLocked(cpu);
    unlock(TASK_LOCK);
  }
  return (pendingSet(cpu) & ~getMask(cpu)) != 0;
}

function hostWaits(): bool {
  return atomic.load<u64>(HOST_PENDING) != 0 || atomic.load<u32>(HOST_TIMER) != 0;
}

/**
 * Sends to one thread, of process `owner` unless that is 0 (tkill, tgkill): 0, -ESRCH, or -EAGAIN. Signal 0 only asks whether
 * the thread lives.
 */
export function signalThread(
  cpu: usize,
  owner: u32,
  tid: u32,
  signal: u32,
  code: i32,
  pid: u32,
  uid: u32,
  value: u64,
): i32 {
  lock(cpu, TASK_LOCK);
  const index = findLocked(tid);
  let result: i32 = index < 0 ? -Errno.ESRCH : 0;
  if (index >= 0) {
    const process = processOf(threadRecord(index));
    if (owner != 0 && load<u32>(process, PR_PID) != owner) result = -Errno.ESRCH;
    else if (signal == SIGKILL) beginExitLocked(process, SIGKILL, 0);
    else if (signal != 0) result = signalThreadLocked(index, process, signal, code, pid, uid, value);
  }
  unlock(TASK_LOCK);
  return result;
}

function signalThreadLocked(index: u32, process: usize, signal: u32, code: i32, pid: u32, uid: u32, value: u64): i32 {
  const t = threadRecord(index);
  if (ignored(process, signal) && !masks(t, signal)) return 0;
  const result = enqueueLocked(t + T_PENDING, t + T_QUEUE, signal, code, pid, uid, value);
  if (result == 0 && !blocks(t, signal)) post(cpuArea(index), Pending.Kick);
  return result;
}

/** Sends to the own process: 0 or -EAGAIN. */
export function signalProcess(cpu: usize, signal: u32, code: i32, pid: u32, uid: u32, value: u64): i32 {
  lock(cpu, TASK_LOCK);
  const result = signalProcessLocked(cpu, ownProcess(cpu), signal, code, pid, uid, value);
  unlock(TASK_LOCK);
  return result;
}

/**
 * kill(2): to a process, 0 the own group, -1 all but the own process, -n the group n. 0, -ESRCH, or -EAGAIN. Signal 0 only
 * asks who is there. A zombie takes signals, and does nothing.
 */
export function signalTo(cpu: usize, to: i32, signal: u32, code: i32, pid: u32, uid: u32, value: u64): i32 {
  lock(cpu, TASK_LOCK);
  const own = ownProcess(cpu);
  let result: i32 = -Errno.ESRCH;
  if (to > 0) {
    const process = findProcessLocked(<u32>to);
    if (process != 0) result = signalProcessLocked(cpu, process, signal, code, pid, uid, value);
  } else {
    const group = to == 0 ? load<u32>(own, PR_GROUP) : <u32>-to;
    const n = load<u32>(PROCESSES_SEEN);
    for (let i: u32 = 0; i < n; i++) {
      const p = processRecord(i);
      if (atomic.load<u32>(p, PR_STATE) == PROCESS_FREE) continue;
      if (to == -1 ? p == own : load<u32>(p, PR_GROUP) != group) continue;
      const sent = signalProcessLocked(cpu, p, signal, code, pid, uid, value);
      if (result != 0) result = sent;
    }
  }
  unlock(TASK_LOCK);
  return result;
}

export function signalProcessLocked(
  cpu: usize,
  process: usize,
  signal: u32,
  code: i32,
  pid: u32,
  uid: u32,
  value: u64,
): i32 {
  if (signal == 0 || atomic.load<u32>(process, PR_STATE) != PROCESS_LIVE) return 0;
  if (signal == SIGKILL) {
    beginExitLocked(process, SIGKILL, 0);
    return 0;
  }
  const picked = pickLocked(cpu, process, signal);
  if (ignored(process, signal) && picked >= 0 && !masks(threadRecord(picked), signal)) return 0;
  const result = enqueueLocked(process + PR_PENDING, process + PR_QUEUE, signal, code, pid, uid, value);
  if (result == 0 && picked >= 0) post(cpuArea(picked), Pending.Kick);
  return result;
}

/** From the host, which takes no lock: any live thread that is kicked sends it on, to the first process's group. */
export function signalFromHost(signal: u32): void {
  atomic.or<u64>(HOST_PENDING, bit(signal));
  const n = load<u32>(THREADS_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    if (isLive(threadRecord(i))) post(cpuArea(i), Pending.Kick);
  }
}

function takeHostLocked(cpu: usize): void {
  if (atomic.load<u32>(HOST_TIMER) != 0 && atomic.xchg<u32>(HOST_TIMER, 0) != 0) fireTimersLocked(cpu);
  let set = atomic.xchg<u64>(HOST_PENDING, 0);
  while (set != 0) {
    const signal = <u32>ctz<u64>(set) + 1;
    set &= set - 1;
    const n = load<u32>(PROCESSES_SEEN);
    for (let i: u32 = 0; i < n; i++) {
      const p = processRecord(i);
      if (load<u32>(p, PR_GROUP) != load<u32>(firstProcess(), PR_GROUP)) continue;
      // SI_KERNEL: no process sent it.
      signalProcessLocked(cpu, p, signal, 0x80, 0, 0, 0);
    }
  }
}

/**
 * Queues the signal of timer `id` of a process, beside one that is pending already; tid 0: to the process. False when it is ignored, its
 * thread has ended, or no record is left.
 */
export function sendTimerLocked(cpu: usize, process: usize, tid: u32, signal: u32, id: u32, value: u64): bool {
  const picked = tid != 0 ? findLocked(tid) : pickLocked(cpu, process, signal);
  if (tid != 0 && picked < 0) return false;
  const t = picked < 0 ? <usize>0 : threadRecord(picked);
  if (t != 0 && ignored(process, signal) && !masks(t, signal)) return false;
  const set = tid != 0 ? t + T_PENDING : process + PR_PENDING;
  const queue = tid != 0 ? t + T_QUEUE : process + PR_QUEUE;
  if (!append(queue, signal, SI_TIMER, id, 0, value)) return false;
  atomic.store<u64>(set, atomic.load<u64>(set) | bit(signal));
  if (t != 0 && !blocks(t, signal)) post(cpuArea(picked), Pending.Kick);
  return true;
}

function enqueueLocked(set: usize, queue: usize, signal: u32, code: i32, pid: u32, uid: u32, value: u64): i32 {
  const present = (atomic.load<u64>(set) & bit(signal)) != 0;
  if (present && signal < SIGRTMIN) return 0;
  if (!append(queue, signal, code, pid, uid, value) && signal >= SIGRTMIN) return -Errno.EAGAIN;
  atomic.store<u64>(set, atomic.load<u64>(set) | bit(signal));
  return 0;
}

function masks(thread: usize, signal: u32): bool {
  return (atomic.load<u64>(thread, T_MASK) & bit(signal)) != 0;
}

/** Blocked, and not waited for by sigtimedwait either. */
function blocks(thread: usize, signal: u32): bool {
  return (atomic.load<u64>(thread, T_MASK) & ~atomic.load<u64>(thread, T_AWAITED) & bit(signal)) != 0;
}

/** A live thread of the process that does not block the signal: the sender itself if it can, else the lowest; -1: all block it. */
function pickLocked(cpu: usize, process: usize, signal: u32): i32 {
  const self = cpuId(cpu);
  const own = threadRecord(self);
  if (isLive(own) && processOf(own) == process && !blocks(own, signal)) return <i32>self;
  const n = load<u32>(THREADS_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const t = threadRecord(i);
    if (isLive(t) && processOf(t) == process && !blocks(t, signal)) return <i32>i;
  }
  return -1;
}

/**
 * This thread will not take the signals of `set` any more: it blocks them, or ends. One sent to the process may have
 * kicked it alone, so a thread that can take it is kicked now (Linux: kernel/signal.c:retarget_shared_pending).
 */
export function retargetLocked(cpu: usize, set: u64): void {
  const process = ownProcess(cpu);
  let left = atomic.load<u64>(process, PR_PENDING) & set;
  while (left != 0) {
    const picked = pickLocked(cpu, process, <u32>ctz<u64>(left) + 1);
    if (picked >= 0) post(cpuArea(picked), Pending.Kick);
    left &= left - 1;
  }
}

/** CPU index of a live thread, -1 when there is none. */
export function findLocked(tid: u32): i32 {
  const n = load<u32>(THREADS_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const t = threadRecord(i);
    if (load<u32>(t, T_TID) == tid && isLive(t)) return <i32>i;
  }
  return -1;
}

/**
 * Takes one signal out of `set` for this thread and returns its number, 0 when there is none. Writes to `out`:
 *   {code i32, pid u32, uid u32, -, value u64, handler u64, flags u64, mask u64}
 * Ignored signals met on the way are dropped, unless `any` (sigtimedwait takes them too).
 */
export function claimSignal(cpu: usize, set: u64, out: usize, any: bool): u32 {
  lock(cpu, TASK_LOCK);
  if (hostWaits()) takeHostLocked(cpu);
  const t = threadRecord(cpuId(cpu));
  const process = processOf(t);
  let signal: u32 = 0;
  do {
    signal = dequeueLocked(process, t + T_PENDING, t + T_QUEUE, set, out);
    if (signal == 0) signal = dequeueLocked(process, process + PR_PENDING, process + PR_QUEUE, set, out);
  } while (signal != 0 && !any && ignored(process, signal));
  if (signal != 0) {
    const a = action(process, signal);
    memory.copy(out + 24, a, ACTION_BYTES);
    if (!any && (load<u64>(a, 8) & SA_RESETHAND) != 0) store<u64>(a, SIG_DFL);
  }
  unlock(TASK_LOCK);
  return signal;
}

function dequeueLocked(process: usize, set: usize, queue: usize, wanted: u64, out: usize): u32 {
  const found = atomic.load<u64>(set) & wanted;
  if (found == 0) return 0;
  const signal = <u32>ctz<u64>(found) + 1;
  const record = unlink(queue, signal);
  memory.fill(out, 0, 24);
  if (record != 0) {
    store<i32>(out, load<i32>(record, S_CODE));
    store<u32>(out, load<u32>(record, S_PID), 4);
    store<u32>(out, load<u32>(record, S_UID), 8);
    store<u64>(out, load<u64>(record, S_VALUE), 16);
    if (load<i32>(record, S_CODE) == SI_TIMER) store<u32>(out, takenLocked(process, load<u32>(record, S_PID)), 8);
    release(record);
  }
  if (!holds(queue, signal)) atomic.store<u64>(set, atomic.load<u64>(set) & ~bit(signal));
  return signal;
}

/**
 * A synchronous signal (a trap) of this thread: its disposition goes to `out` (24 bytes). A blocked or ignored one is
 * reset to the default first, which kills, as Linux: kernel/signal.c:force_sig_info_to_task.
 */
export function forceSignal(cpu: usize, signal: u32, out: usize): void {
  lock(cpu, TASK_LOCK);
  const t = threadRecord(cpuId(cpu));
  const a = action(processOf(t), signal);
  if (load<u64>(a) == SIG_IGN || (atomic.load<u64>(t, T_MASK) & bit(signal)) != 0) {
    store<u64>(a, SIG_DFL);
    atomic.store<u64>(t, atomic.load<u64>(t, T_MASK) & ~bit(signal), T_MASK);
  }
  memory.copy(out, a, ACTION_BYTES);
  if ((load<u64>(a, 8) & SA_RESETHAND) != 0) store<u64>(a, SIG_DFL);
  unlock(TASK_LOCK);
}
