/**
 * calls/threads.ts: threads come and go: clone, clone3, exit, set_tid_address, robust lists.
 *
 * clone      claims a warm worker, copies the hart into its CPU, then lets it run. With none warm it asks for one and
 *            sleeps until one is; at the limit of live threads, EAGAIN. Only threads: a clone that wants a process of its
 *            own is ENOSYS, counted like an unknown call.
 * exit       robust mutexes are marked, the tid word cleared and its waiter woken, in Linux's order
 *            (kernel/fork.c:mm_release). After that the thread touches no guest memory: its stack may be gone.
 */
import { Errno } from "../../core/abi/errno.js";
import { type Thread, ThreadExit } from "../thread.js";
import { type Args, int, long } from "./args.js";

enum Clone {
  VM = 0x100,
  SIGHAND = 0x800,
  THREAD = 0x10000,
  SETTLS = 0x80000,
  PARENT_SETTID = 0x100000,
  CHILD_CLEARTID = 0x200000,
  CHILD_SETTID = 0x1000000,
}

const THREAD_FLAGS = Clone.VM | Clone.SIGHAND | Clone.THREAD;
const CALL_CLONE = 220;
const CALL_CLONE3 = 435;
const CLONE_ARGS_MIN = 64;
const CLONE_ARGS_MAX = 88;
/** How long a clone sleeps before it looks again for a worker. */
const WORKER_WAIT_NS = 1e6;

interface CloneRequest {
  readonly flags: number;
  readonly sp: bigint;
  readonly parentTid: bigint;
  readonly childTid: bigint;
  readonly tls: bigint;
}

export function clone(thread: Thread, args: Args): number {
  return start(thread, CALL_CLONE, {
    flags: Number(long(args, 0) & 0xffffffffn),
    sp: long(args, 1),
    parentTid: long(args, 2),
    tls: long(args, 3),
    childTid: long(args, 4),
  });
}

export function clone3(thread: Thread, args: Args): number {
  const size = long(args, 1);
  if (size < BigInt(CLONE_ARGS_MIN)) return -Errno.EINVAL;
  if (size > 4096n) return -Errno.E2BIG;
  const { guest } = thread;
  const error = guest.copyIn(long(args, 0), 0, Number(size));
  if (error < 0) return error;
  if (guest.bytes.subarray(CLONE_ARGS_MAX, Math.max(CLONE_ARGS_MAX, Number(size))).some((b) => b !== 0)) {
    return -Errno.E2BIG;
  }
  const field = (i: number) => guest.view.getBigUint64(i * 8, true);
  if ((field(5) === 0n) !== (field(6) === 0n)) return -Errno.EINVAL;
  return start(thread, CALL_CLONE3, {
    flags: Number(field(0) & 0xffffffffn),
    childTid: field(2),
    parentTid: field(3),
    sp: field(5) + field(6),
    tls: field(7),
  });
}

function start(thread: Thread, nr: number, request: CloneRequest): number {
  const { core, cpu, guest } = thread;
  const { flags } = request;
  if ((flags & Clone.THREAD) !== 0 && (flags & THREAD_FLAGS) !== THREAD_FLAGS) return -Errno.EINVAL;
  if ((flags & THREAD_FLAGS) !== THREAD_FLAGS) {
    thread.countUnknown(nr);
    return -Errno.ENOSYS;
  }
  const index = claim(thread);
  if (index < 0) return index;
  const tid = core.threadTid(index);
  // As Linux, a bad address here fails nobody.
  if ((flags & Clone.PARENT_SETTID) !== 0) guest.writeU32(request.parentTid, tid);
  if ((flags & Clone.CHILD_SETTID) !== 0) guest.writeU32(request.childTid, tid);
  const child = core.cpuArea(index);
  core.copyHart(child, cpu);
  core.setX(child, 10, 0n);
  if (request.sp !== 0n) core.setX(child, 2, request.sp);
  if ((flags & Clone.SETTLS) !== 0) core.setX(child, 4, request.tls);
  core.startThread(cpu, index, core.getMask(cpu), (flags & Clone.CHILD_CLEARTID) !== 0 ? request.childTid : 0n);
  thread.host.post({ kind: "spare" });
  return tid;
}

/** A worker for the new thread: its CPU index or -EAGAIN. */
function claim(thread: Thread): number {
  let asked = false;
  for (;;) {
    const index = thread.core.claimWorker(thread.cpu);
    if (index !== -Errno.EBUSY) return index;
    if (!asked) thread.host.post({ kind: "spare" });
    asked = true;
    thread.doze(WORKER_WAIT_NS);
    // A signal's kick must not keep us awake; the return to guest code looks for signals anyway.
    thread.clearWakeups();
  }
}

export function setTidAddress(thread: Thread, args: Args): number {
  thread.core.setClearTid(thread.cpu, long(args, 0));
  return thread.tid;
}

export function exit(_thread: Thread, args: Args): never {
  throw new ThreadExit(int(args, 0) & 0xff);
}

export function exitGroup(thread: Thread, args: Args): never {
  thread.exitProcess(int(args, 0) & 0xff);
}

export function setRobustList(thread: Thread, args: Args): number {
  if (long(args, 1) !== 24n) return -Errno.EINVAL;
  thread.robustList = long(args, 0);
  return 0;
}

export function getRobustList(thread: Thread, args: Args): number {
  const tid = int(args, 0);
  if (tid !== 0 && tid !== thread.tid) return -Errno.ESRCH;
  const error = thread.guest.writeU64(long(args, 1), thread.robustList);
  return error < 0 ? error : thread.guest.writeU64(long(args, 2), 24n);
}

/** What a thread owes the others when it ends. */
export function releaseThread(thread: Thread): void {
  if (thread.robustList !== 0n) walkRobustList(thread, thread.robustList);
  const word = BigInt.asUintN(64, thread.core.getClearTid(thread.cpu));
  if (word === 0n || thread.guest.writeU32(word, 0) < 0) return;
  thread.core.futexWake(thread.cpu, word, 1, 0xffffffff);
}

const ROBUST_LIMIT = 2048;
const FUTEX_WAITERS = 0x80000000;
const FUTEX_OWNER_DIED = 0x40000000;
const FUTEX_TID_MASK = 0x3fffffff;

/** struct robust_list_head {list.next, futex_offset, list_op_pending}; kernel/futex/core.c:exit_robust_list. */
function walkRobustList(thread: Thread, head: bigint): void {
  const { guest } = thread;
  if (guest.copyIn(head, 0, 24) < 0) return;
  const offset = guest.view.getBigInt64(8, true);
  const pending = guest.view.getBigUint64(16, true) & ~1n;
  let entry: bigint | number = guest.view.getBigUint64(0, true) & ~1n;
  for (let i = 0; i < ROBUST_LIMIT && typeof entry === "bigint" && entry !== head; i++) {
    // The next link first: the waiter that is woken may reuse the entry.
    const next: bigint | number = guest.readU64(entry);
    if (entry !== pending && !ownerDied(thread, entry + offset, false)) return;
    entry = typeof next === "bigint" ? next & ~1n : next;
  }
  if (pending !== 0n) ownerDied(thread, pending + offset, true);
}

/** Marks one mutex that the thread may hold; false when its word can not be reached. */
function ownerDied(thread: Thread, address: bigint, pending: boolean): boolean {
  const { core, cpu, guest } = thread;
  if ((address & 3n) !== 0n) return false;
  for (;;) {
    if (guest.copyIn(address, 0, 4) < 0) return false;
    const value = guest.view.getUint32(0, true);
    if (pending && (value & FUTEX_TID_MASK) === 0) {
      core.futexWake(cpu, address, 1, 0xffffffff);
      return true;
    }
    if ((value & FUTEX_TID_MASK) !== thread.tid) return true;
    const wanted = ((value & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0;
    const old = guest.serve(() => core.swapUser(cpu, address, value, wanted));
    if (old < 0) return false;
    if (old !== value) continue;
    if ((value & FUTEX_WAITERS) !== 0) core.futexWake(cpu, address, 1, 0xffffffff);
    return true;
  }
}
