/**
 * calls/pidfd.ts: what is done to a process by a descriptor of it (files/pidfd.ts): pidfd_send_signal, process_mrelease; and
 * which process a descriptor stands for, for waitid and process_madvise.
 *
 * Errors     pidfd_send_signal: EINVAL flags, a number of no signal, another than siginfo's; EPERM as rt_sigqueueinfo.
 *            process_mrelease: EINVAL flags, a process that is not ending.  Both: EBADF no pidfd; ESRCH it has ended
 * Linux      kernel/signal.c:SYSCALL_DEFINE4(pidfd_send_signal); mm/oom_kill.c:SYSCALL_DEFINE2(process_mrelease)
 */
import { Errno } from "../../core/abi/errno.js";
import { HostCall } from "../files/service.js";
import type { Thread } from "../thread.js";
import { type Args, int, long, uint } from "./args.js";
import { signalBy } from "./signals.js";

/** Its id, also once it has ended, unless it must live: -ESRCH; -EBADF. */
export function processOf(thread: Thread, pidfd: number, mustLive: boolean): number {
  return thread.guest.request(HostCall.ProcessOf, [BigInt(pidfd), mustLive ? 1n : 0n, 0n, 0n, 0n, 0n], 0);
}

export function pidfdSendSignal(thread: Thread, args: Args): number {
  if (uint(args, 3) !== 0) return -Errno.EINVAL;
  const pid = processOf(thread, int(args, 0), true);
  return pid < 0 ? pid : signalBy(thread, pid, int(args, 1), long(args, 2));
}

/** Memory of a process that is ending is given back by itself: nothing is left to do. */
export function processMrelease(thread: Thread, args: Args): number {
  if (uint(args, 1) !== 0) return -Errno.EINVAL;
  const pid = processOf(thread, int(args, 0), true);
  return pid < 0 ? pid : -Errno.EINVAL;
}
