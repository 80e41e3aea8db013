/** files/pidfd.ts: a process as a file (pidfd_open(2)): readable once it has ended.
 *  Promise    names the process it was opened for, never a later one with the same id: it holds the process's State.
 *  Close on exec always. Nothing is read or written through it: EINVAL.
 *  Not here   PIDFD_NONBLOCK and PIDFD_THREAD (EINVAL, as before Linux 5.10 and 6.9); one for a process that has ended and
 *             was not waited for (ESRCH): its files are gone; CLONE_PIDFD, pidfd_getfd.
 *  Linux      compare kernel/pid.c:pidfd_open, pidfd_create; fs/pidfs.c:pidfd_poll */
import { Errno } from "../../core/abi/errno.js";
import { type Call, openOf, type State, type Verb } from "./call.js";
import { fail } from "./fail.js";
import { Handle } from "./handle.js";
import { Open, Poll } from "./linux.js";
import { nameless } from "./open.js";
import { anonymousStat } from "./pipe.js";
import type { Stat } from "./stat.js";

class Pidfd extends Handle {
  private readonly about: Stat;

  constructor(readonly process: State) {
    super();
    this.about = anonymousStat(0o600, process.credentials);
  }

  stat(): Stat {
    return this.about;
  }
  override get label(): string {
    return "anon_inode:[pidfd]";
  }
  override poll(): number {
    return this.process.hasEnded ? Poll.In : 0;
  }
  override watch(_events: number, listener: () => void): () => void {
    return this.process.ended.add(listener);
  }
}

export const pidfdOpen: Verb = (state, call) => {
  const pid = call.int(0);
  if (call.uint(1) !== 0 || pid <= 0) fail(Errno.EINVAL);
  const handle = new Pidfd(state.world.processes.get(pid) ?? fail(Errno.ESRCH));
  return state.table.adopt(nameless(state, handle, Open.ReadWrite), true);
};

/** HostCall.ProcessOf. */
export function processOf(state: State, call: Call): number {
  const { handle } = openOf(state, call.int(0));
  if (!(handle instanceof Pidfd)) return fail(Errno.EBADF);
  if (handle.process.hasEnded && call.int(1) !== 0) fail(Errno.ESRCH);
  return handle.process.pid;
}
