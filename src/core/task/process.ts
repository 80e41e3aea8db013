/**
 * Processes: a table of records, and how one finds and makes them.
 *
 *   free ──fork──► live ──last thread ends──► zombie ──wait──► free          without a parent that waits: live ──► free
 *
 *   state      u32 atomic.  write: taskLock;  peek: the host, for deadlines of timers
 *   pid        id of its first thread; immutable while it is not free
 *   parent     record of the process that waits for it; 0: none. The first has none, nor has one whose parent ended: it is
 *              reaped when it ends, as by an init
 *   group, session         ids (group.ts)
 *   exit       u32 atomic.  0, then EXITING | wait status, written once;  peek: who must not start what would be stopped
 *   threads    claimed or live
 *   exitSignal             what the parent gets at its end; 0 nothing
 *   pending, queue         signals sent to it as a whole; set u64 atomic, peeked by its threads
 *   actions                table of dispositions, refs counts who has it
 *   exec       1 + CPU index of the thread that is in execve(2); 0
 *   vfork      1 + CPU index of the parent's thread that sleeps until exec or exit; 0
 *   execed     1 after an execve: its parent may no longer move it to another group
 *   creator    id of the thread that made it (__WNOTHREAD)
 *   userNs, childrenNs     f64: time of threads that ended, of children that were waited for
 * All under taskLock unless it says more.
 * Linux: compare include/linux/sched/signal.h:signal_struct, kernel/fork.c:copy_process.
 */
import { Errno } from "../abi/errno";
import { Pending } from "../abi/pending";
import { ClaimFlag, ProcessWord } from "../abi/word";
import { cpuArea, cpuId, post } from "../sync/cpu";
import { cpuCount } from "../sync/layout";
import { lock, unlock } from "../sync/spinlock";
import {
  A_FIRST,
  A_REFS,
  ACTION_BYTES,
  ACTIONS_BYTES,
  actionsTable,
  firstProcess,
  isLive,
  NEXT_TID,
  PR_ACTIONS,
  PR_CREATOR,
  PR_EXECED,
  PR_EXIT,
  PR_EXIT_SIGNAL,
  PR_GROUP,
  PR_PARENT,
  PR_PID,
  PR_SESSION,
  PR_STATE,
  PR_THREADS,
  PR_VFORK,
  PROCESS_BYTES,
  PROCESS_COUNT,
  PROCESS_FREE,
  PROCESS_LIVE,
  PROCESSES_SEEN,
  processOf,
  processRecord,
  T_TID,
  T_VFORK,
  TASK_LOCK,
  THREADS_SEEN,
  TIDS_AGAIN,
  threadRecord,
} from "./region";

/** As Linux on a 64-bit machine (PID_MAX_LIMIT), and where ids start again (RESERVED_PIDS). */
const PID_MAX: u32 = 1 << 22;
const PID_AGAIN: u32 = 300;
/** getppid(2) of a process without a parent here. */
const INIT: u32 = 1;
const SIG_IGN: u64 = 1;

export function ownProcess(cpu: usize): usize {
  return processOf(threadRecord(cpuId(cpu)));
}

/** An id that nobody has. taskLock held. */
export function takeIdLocked(): u32 {
  while (true) {
    const id = load<u32>(NEXT_TID);
    if (id + 1 >= PID_MAX) {
      store<u32>(NEXT_TID, PID_AGAIN);
      store<u32>(TIDS_AGAIN, 1);
    } else store<u32>(NEXT_TID, id + 1);
    if (load<u32>(TIDS_AGAIN) == 0 || !idUsedLocked(id)) return id;
  }
}

function idUsedLocked(id: u32): bool {
  const n = load<u32>(PROCESSES_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const p = processRecord(i);
    if (atomic.load<u32>(p, PR_STATE) == PROCESS_FREE) continue;
    if (load<u32>(p, PR_PID) == id || load<u32>(p, PR_GROUP) == id || load<u32>(p, PR_SESSION) == id) return true;
  }
  const threads = load<u32>(THREADS_SEEN);
  for (let i: u32 = 0; i < threads; i++) if (load<u32>(threadRecord(i), T_TID) == id) return true;
  return false;
}

/** A record in no use: its index, or -EAGAIN. */
function freeRecordLocked(): i32 {
  const n = cpuCount();
  for (let i: u32 = 0; i < n; i++) {
    if (atomic.load<u32>(processRecord(i), PR_STATE) == PROCESS_FREE) return <i32>i;
  }
  return -Errno.EAGAIN;
}

/** The process `pid` comes to be, without a thread yet: its record, or 0 when the table is full. `from`: the parent; 0 the first. */
export function newProcessLocked(cpu: usize, from: usize, pid: u32, flags: u32, exitSignal: u32): usize {
  const index = freeRecordLocked();
  if (index < 0) return 0;
  const p = processRecord(index);
  memory.fill(p, 0, PROCESS_BYTES);
  store<u32>(p, pid, PR_PID);
  if (from == 0) {
    store<u32>(p, pid, PR_GROUP);
    store<u32>(p, pid, PR_SESSION);
  } else {
    const sibling = (flags & ClaimFlag.Sibling) != 0;
    store<u32>(p, sibling ? load<u32>(from, PR_PARENT) : <u32>from, PR_PARENT);
    store<u32>(p, sibling ? load<u32>(from, PR_EXIT_SIGNAL) : exitSignal, PR_EXIT_SIGNAL);
    store<u32>(p, load<u32>(from, PR_GROUP), PR_GROUP);
    store<u32>(p, load<u32>(from, PR_SESSION), PR_SESSION);
    store<u32>(p, load<u32>(threadRecord(cpuId(cpu)), T_TID), PR_CREATOR);
    if ((flags & ClaimFlag.Vfork) != 0) {
      store<u32>(p, cpuId(cpu) + 1, PR_VFORK);
      atomic.store<u32>(threadRecord(cpuId(cpu)), 1, T_VFORK);
    }
  }
  takeActionsLocked(p, from, flags);
  store<u32>(PROCESS_COUNT, load<u32>(PROCESS_COUNT) + 1);
  if (atomic.load<u32>(PROCESSES_SEEN) < <u32>index + 1) atomic.store<u32>(PROCESSES_SEEN, <u32>index + 1);
  atomic.store<u32>(p, PROCESS_LIVE, PR_STATE);
  return p;
}

/** Dispositions of a new process: the parent's own table, or a table of its own. There are as many as records. */
function takeActionsLocked(p: usize, from: usize, flags: u32): void {
  if (from != 0 && (flags & ClaimFlag.ShareActions) != 0) {
    const shared = <usize>load<u32>(from, PR_ACTIONS);
    store<u32>(shared, load<u32>(shared, A_REFS) + 1, A_REFS);
    store<u32>(p, <u32>shared, PR_ACTIONS);
    return;
  }
  store<u32>(p, <u32>copyActionsLocked(from == 0 ? 0 : <usize>load<u32>(from, PR_ACTIONS)), PR_ACTIONS);
  if ((flags & ClaimFlag.ClearActions) != 0) defaultActionsLocked(p);
}

/** A table of its own, a copy of `from` or, with 0, all default. */
function copyActionsLocked(from: usize): usize {
  let i: u32 = 0;
  while (load<u32>(actionsTable(i), A_REFS) != 0) i++;
  const table = actionsTable(i);
  if (from == 0) memory.fill(table, 0, ACTIONS_BYTES);
  else memory.copy(table, from, ACTIONS_BYTES);
  store<u32>(table, 1, A_REFS);
  return table;
}

/** Handlers become the default; what is ignored stays so (kernel/signal.c:flush_signal_handlers). */
export function defaultActionsLocked(p: usize): void {
  const first = <usize>load<u32>(p, PR_ACTIONS) + A_FIRST;
  for (let i: usize = 0; i < 64; i++) {
    const a = first + i * ACTION_BYTES;
    const keep = load<u64>(a) == SIG_IGN;
    memory.fill(a, 0, ACTION_BYTES);
    if (keep) store<u64>(a, SIG_IGN);
  }
}

/** After it nobody else sees changes of this process's dispositions. */
export function unshareActionsLocked(p: usize): void {
  const table = <usize>load<u32>(p, PR_ACTIONS);
  if (load<u32>(table, A_REFS) == 1) return;
  store<u32>(p, <u32>copyActionsLocked(table), PR_ACTIONS);
  store<u32>(table, load<u32>(table, A_REFS) - 1, A_REFS);
}

export function dropActionsLocked(p: usize): void {
  const table = <usize>load<u32>(p, PR_ACTIONS);
  store<u32>(table, load<u32>(table, A_REFS) - 1, A_REFS);
  store<u32>(p, 0, PR_ACTIONS);
}

/** The record is another's from here on. */
export function freeProcessLocked(p: usize): void {
  atomic.store<u32>(p, PROCESS_FREE, PR_STATE);
  store<u32>(PROCESS_COUNT, load<u32>(PROCESS_COUNT) - 1);
}

/** The process that `id` names, by its own id or a thread's; zombies too. 0: none. */
export function findProcessLocked(id: u32): usize {
  const n = load<u32>(PROCESSES_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const p = processRecord(i);
    if (atomic.load<u32>(p, PR_STATE) != PROCESS_FREE && load<u32>(p, PR_PID) == id) return p;
  }
  const threads = load<u32>(THREADS_SEEN);
  for (let i: u32 = 0; i < threads; i++) {
    const t = threadRecord(i);
    if (isLive(t) && load<u32>(t, T_TID) == id) return processOf(t);
  }
  return 0;
}

/** Posts bits to every live thread of a process but `except` (0: to all). */
export function postAllLocked(p: usize, bits: u32, except: usize): void {
  const n = load<u32>(THREADS_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const t = threadRecord(i);
    if (t != except && isLive(t) && processOf(t) == p) post(cpuArea(i), bits);
  }
}

/** The child no longer needs its parent's memory: the parent's thread returns from vfork. */
export function vforkDoneLocked(p: usize): void {
  const waiting = load<u32>(p, PR_VFORK);
  if (waiting == 0) return;
  store<u32>(p, 0, PR_VFORK);
  const t = threadRecord(waiting - 1);
  atomic.store<u32>(t, 0, T_VFORK);
  post(cpuArea(waiting - 1), Pending.Wake);
}

export function vforkDone(cpu: usize): void {
  lock(cpu, TASK_LOCK);
  vforkDoneLocked(ownProcess(cpu));
  unlock(TASK_LOCK);
}

/** True while the child of this thread's vfork has neither ended nor executed. Looked at after the Wake is taken. */
export function vforkWaits(cpu: usize): bool {
  return atomic.load<u32>(threadRecord(cpuId(cpu)), T_VFORK) != 0;
}

/** This thread is killed in its vfork: its child wakes nobody (kernel/fork.c:wait_for_vfork_done). */
export function forgetVfork(cpu: usize): void {
  const id = cpuId(cpu);
  lock(cpu, TASK_LOCK);
  const n = load<u32>(PROCESSES_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const p = processRecord(i);
    if (atomic.load<u32>(p, PR_STATE) == PROCESS_LIVE && load<u32>(p, PR_VFORK) == id + 1) store<u32>(p, 0, PR_VFORK);
  }
  atomic.store<u32>(threadRecord(id), 0, T_VFORK);
  unlock(TASK_LOCK);
}

export function ownPid(cpu: usize): u32 {
  return load<u32>(ownProcess(cpu), PR_PID);
}

export function parentPid(cpu: usize): u32 {
  lock(cpu, TASK_LOCK);
  const id = parentPidOf(ownProcess(cpu));
  unlock(TASK_LOCK);
  return id;
}

function parentPidOf(p: usize): u32 {
  const parent = <usize>load<u32>(p, PR_PARENT);
  return parent == 0 ? INIT : load<u32>(parent, PR_PID);
}

/** Processes that are not gone, zombies among them. */
export function processCount(cpu: usize): u32 {
  lock(cpu, TASK_LOCK);
  const n = load<u32>(PROCESS_COUNT);
  unlock(TASK_LOCK);
  return n;
}

/** A word of process `pid`; -1 when there is none. Racy: for the host, which takes no lock. */
export function processWord(pid: u32, what: u32): i32 {
  const n = atomic.load<u32>(PROCESSES_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const p = processRecord(i);
    if (atomic.load<u32>(p, PR_STATE) == PROCESS_FREE || load<u32>(p, PR_PID) != pid) continue;
    if (what == ProcessWord.Parent) return <i32>parentPidOf(p);
    if (what == ProcessWord.Group) return load<i32>(p, PR_GROUP);
    if (what == ProcessWord.Session) return load<i32>(p, PR_SESSION);
    if (what == ProcessWord.Threads) return load<i32>(p, PR_THREADS);
    if (what == ProcessWord.State) return <i32>atomic.load<u32>(p, PR_STATE);
    if (what == ProcessWord.Exit) return <i32>(atomic.load<u32>(p, PR_EXIT) & 0xffff);
    return -1;
  }
  return -1;
}

export function isFirst(p: usize): bool {
  return p == firstProcess();
}

export function hasExeced(p: usize): bool {
  return load<u32>(p, PR_EXECED) != 0;
}
