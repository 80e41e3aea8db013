/**
 * calls/processes.ts: processes among each other: waiting for children, groups, sessions.
 *
 * Waiting    looks, sleeps until a child ends (Pending.Wake) or a signal comes, looks again (core/task/wait.ts). Nothing
 *            stops here and nothing is traced, so WSTOPPED and WCONTINUED alone wait for what never comes.
 * Order of checks   kernel/exit.c:kernel_wait4, kernel_waitid_prepare, do_wait.
 */
import { Errno } from "../../core/abi/errno.js";
import { Signal } from "../signals.js";
import { RESTART, type Thread } from "../thread.js";
import { type Args, int, long } from "./args.js";
import { writeUsage } from "./limits.js";
import { namedBy } from "./pidfd.js";

enum Wait {
  NoHang = 1,
  Stopped = 2,
  Exited = 4,
  Continued = 8,
  NoWait = 0x01000000,
  NoThread = 0x20000000,
  All = 0x40000000,
  Clone = 0x80000000,
}

enum Which {
  All = 0,
  Pid = 1,
  Group = 2,
  Pidfd = 3,
}

const OF_WAIT4 = Wait.NoHang | Wait.Stopped | Wait.Continued | Wait.NoThread | Wait.All | Wait.Clone;
const OF_WAITID =
  Wait.NoHang | Wait.Stopped | Wait.Exited | Wait.Continued | Wait.NoWait | Wait.NoThread | Wait.All | Wait.Clone;
const CLD_EXITED = 1;
const CLD_KILLED = 2;

interface Ended {
  readonly pid: number;
  readonly status: number;
  readonly ns: number;
}

export function wait4(thread: Thread, args: Args): number {
  const options = int(args, 2);
  if ((options & ~OF_WAIT4) !== 0) return -Errno.EINVAL;
  const pid = int(args, 0);
  if (pid === -(2 ** 31)) return -Errno.ESRCH;
  const group = pid === 0 || pid < -1;
  const which = pid === -1 ? Which.All : group ? Which.Group : Which.Pid;
  const id = pid === 0 ? thread.core.getGroup(thread.cpu, 0) : Math.abs(pid);
  const ended = waitFor(thread, which, id, options | Wait.Exited);
  if (typeof ended === "number") return ended;
  if (long(args, 1) !== 0n) {
    const error = thread.guest.writeU32(long(args, 1), ended.status);
    if (error < 0) return error;
  }
  if (long(args, 3) !== 0n) {
    const error = writeUsage(thread, long(args, 3), ended.ns);
    if (error < 0) return error;
  }
  return ended.pid;
}

export function waitid(thread: Thread, args: Args): number {
  const [which, id, options] = [int(args, 0), int(args, 1), int(args, 3)];
  if ((options & ~OF_WAITID) !== 0) return -Errno.EINVAL;
  if ((options & (Wait.Exited | Wait.Stopped | Wait.Continued)) === 0) return -Errno.EINVAL;
  if (which === Which.Pid && id <= 0) return -Errno.EINVAL;
  if (which === Which.Group && id < 0) return -Errno.EINVAL;
  if (which === Which.Pidfd && id < 0) return -Errno.EINVAL;
  if (!(which in Which)) return -Errno.EINVAL;
  const whose = whoseId(thread, which, id);
  if (typeof whose === "number") return whose;
  const hang = whose.nonBlocking ? Wait.NoHang : 0;
  const ended = waitFor(thread, which === Which.Pidfd ? Which.Pid : which, whose.id, options | hang);
  if (typeof ended === "number" && ended !== 0) return ended;
  if (ended === 0 && (options & Wait.NoHang) === 0) return -Errno.EAGAIN;
  if (typeof ended !== "number" && long(args, 4) !== 0n) {
    const error = writeUsage(thread, long(args, 4), ended.ns);
    if (error < 0) return error;
  }
  return long(args, 2) === 0n ? 0 : writeInfo(thread, long(args, 2), typeof ended === "number" ? undefined : ended);
}

/** A thread has no parent that waits for it: its id is no child's; nor is that of who is gone, though a child may have it by now. A pidfd
 *  with O_NONBLOCK never waits. */
function whoseId(thread: Thread, which: Which, id: number): { id: number; nonBlocking: boolean } | number {
  if (which === Which.Pidfd) {
    const named = namedBy(thread, id);
    if (named === -Errno.ESRCH) return -Errno.ECHILD;
    return typeof named === "number" ? named : { id: named.tid || named.pid, nonBlocking: named.nonBlocking };
  }
  return { id: which === Which.Group && id === 0 ? thread.core.getGroup(thread.cpu, 0) : id, nonBlocking: false };
}

/** A child that ended; 0 when WNOHANG finds none; -ECHILD; or RESTART. */
function waitFor(thread: Thread, which: Which, id: number, options: number): Ended | number {
  const { core, cpu, guest } = thread;
  for (;;) {
    // The wake first, then the look: a child that ends after the look still ends the sleep.
    thread.clearWakeups();
    const pid = core.waitChild(cpu, which, id, options, guest.out);
    if (pid > 0) {
      if ((options & Wait.NoWait) === 0) thread.host.post({ kind: "reaped" });
      return { pid, status: guest.view.getUint32(0, true), ns: guest.view.getFloat64(8, true) };
    }
    if (pid < 0) return pid;
    if ((options & Wait.NoHang) !== 0) return 0;
    if (thread.signalled()) return RESTART;
    thread.doze(Number.POSITIVE_INFINITY);
  }
}

/** The part of siginfo that waitid(2) writes, 32 bytes: signo, errno, code, pid, uid, status; zeros without a child. */
function writeInfo(thread: Thread, address: bigint, ended: Ended | undefined): number {
  const { guest, process } = thread;
  for (let i = 0; i < 32; i += 8) guest.view.setBigUint64(i, 0n, true);
  if (ended) {
    const signal = ended.status & 0x7f;
    guest.view.setInt32(0, Signal.CHLD, true);
    guest.view.setInt32(8, signal === 0 ? CLD_EXITED : CLD_KILLED, true);
    guest.view.setUint32(16, ended.pid, true);
    guest.view.setUint32(20, process.uid, true);
    guest.view.setInt32(24, signal === 0 ? (ended.status >> 8) & 0xff : signal, true);
  }
  return guest.copyOut(address, 0, 28);
}

export function getppid(thread: Thread): number {
  return thread.core.parentPid(thread.cpu);
}

export function getpgid(thread: Thread, args: Args): number {
  return thread.core.getGroup(thread.cpu, int(args, 0));
}

export function getsid(thread: Thread, args: Args): number {
  return thread.core.getSession(thread.cpu, int(args, 0));
}

export function setpgid(thread: Thread, args: Args): number {
  return thread.core.setGroup(thread.cpu, int(args, 0), int(args, 1));
}

export function setsid(thread: Thread): number {
  return thread.core.newSession(thread.cpu);
}
