/**
 * calls/threads.ts: what a thread owes the others when it ends: exit, exit_group, set_tid_address, robust lists.
 *
 * exit       robust mutexes are marked, the tid word cleared and its waiter woken, in Linux's order
 *            (kernel/fork.c:mm_release). After that the thread touches no guest memory: its stack may be gone.
 */
import { Errno } from "../../core/abi/errno.js";
import { ThreadLong } from "../../core/abi/word.js";
import { type Thread, ThreadExit } from "../thread.js";
import { cpuOf } from "../threadRecords.js";
import { type Args, int, long } from "./args.js";

export function setTidAddress(thread: Thread, args: Args): number {
  thread.clearTid = long(args, 0);
  return thread.tid;
}

export function exit(_thread: Thread, args: Args): never {
  throw new ThreadExit(int(args, 0) & 0xff);
}

export function exitGroup(thread: Thread, args: Args): never {
  thread.exitGroup(int(args, 0));
}

export function setRobustList(thread: Thread, args: Args): number {
  if (long(args, 1) !== 24n) return -Errno.EINVAL;
  thread.robustList = long(args, 0);
  return 0;
}

export function getRobustList(thread: Thread, args: Args): number {
  const { core, guest } = thread;
  const tid = int(args, 0);
  const area = tid === 0 ? thread.cpu : areaOf(thread, tid);
  if (area === 0) return -Errno.ESRCH;
  const head = BigInt.asUintN(64, core.ownLong(area, ThreadLong.Robust));
  const error = guest.writeU64(long(args, 1), head);
  return error < 0 ? error : guest.writeU64(long(args, 2), 24n);
}

/** The area of the CPU that runs a thread, of any process; 0 when there is none. */
function areaOf({ core }: Thread, tid: number): number {
  const index = cpuOf(core, tid);
  return index === undefined ? 0 : core.cpuArea(index);
}

/** What a thread owes the others of its memory, before it ends or executes another program. */
export function releaseThread(thread: Thread): void {
  if (thread.robustList !== 0n) walkRobustList(thread, thread.robustList);
  const word = thread.clearTid;
  if (word === 0n || thread.guest.writeU32(word, 0) < 0) return;
  thread.core.futexWake(thread.cpu, 1, word, 1, 0xffffffff);
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
      core.futexWake(cpu, 1, address, 1, 0xffffffff);
      return true;
    }
    if ((value & FUTEX_TID_MASK) !== thread.tid) return true;
    const wanted = ((value & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0;
    const old = guest.serve(() => core.swapUser(cpu, address, value, wanted));
    if (old < 0) return false;
    if (old !== value) continue;
    if ((value & FUTEX_WAITERS) !== 0) core.futexWake(cpu, 1, address, 1, 0xffffffff);
    return true;
  }
}
