/**
 * calls/pidfd.ts: what is done to a process by a descriptor of it (files/pidfd.ts): pidfd_send_signal, process_mrelease; and
 * whom a descriptor stands for, for waitid and process_madvise.
 *
 * Errors     pidfd_send_signal: EINVAL flags, a number of no signal, another than siginfo's; EPERM as rt_sigqueueinfo.
 *            process_mrelease: EINVAL flags, a process that is not ending.  Both: EBADF no pidfd; ESRCH nothing is left of it
 * Linux      kernel/signal.c:SYSCALL_DEFINE4(pidfd_send_signal); mm/oom_kill.c:SYSCALL_DEFINE2(process_mrelease)
 */
import { Errno } from "../../core/abi/errno.js";
import { HostCall } from "../files/service.js";
import type { Thread } from "../thread.js";
import { type Args, int, long, uint } from "./args.js";
import { signalBy } from "./signals.js";

/** PIDFD_SIGNAL_…: to whom, whatever the descriptor is of; 0: as the descriptor says. */
enum To {
  Thread = 1,
  Process = 2,
  Group = 4,
}

export interface Named {
  readonly pid: number;
  /** 0: the whole process. */
  readonly tid: number;
  readonly nonBlocking: boolean;
}

/** Whom it names; -ESRCH when nothing is left of it; -EBADF. */
export function namedBy(thread: Thread, pidfd: number): Named | number {
  const { guest } = thread;
  const pid = guest.request(HostCall.ProcessOf, [BigInt(pidfd), 0n, 0n, 0n, 0n, 0n], 0);
  if (pid < 0) return pid;
  return { pid, tid: guest.view.getUint32(0, true), nonBlocking: guest.view.getUint32(4, true) !== 0 };
}

export function pidfdSendSignal(thread: Thread, args: Args): number {
  const flags = uint(args, 3);
  if (flags !== 0 && !(flags in To)) return -Errno.EINVAL;
  const named = namedBy(thread, int(args, 0));
  if (typeof named === "number") return named;
  const { pid, tid } = named;
  const to = flags || (tid !== 0 ? To.Thread : To.Process);
  const [signal, info] = [int(args, 1), long(args, 2)];
  if (to === To.Thread) return signalBy(thread, { pid, tid: tid || pid }, signal, info);
  return signalBy(thread, { pid: to === To.Group ? -(tid || pid) : pid, tid: 0 }, signal, info);
}

/** Memory of a process that is ending is given back by itself: nothing is left to do. */
export function processMrelease(thread: Thread, args: Args): number {
  if (uint(args, 1) !== 0) return -Errno.EINVAL;
  const named = namedBy(thread, int(args, 0));
  if (typeof named === "number") return named;
  const { core, cpu } = thread;
  const space = core.processSpace(cpu, named.pid);
  if (space === 0) return -Errno.ESRCH;
  core.putSpace(cpu, space);
  return -Errno.EINVAL;
}
