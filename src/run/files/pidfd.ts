/** files/pidfd.ts: a process or one thread of it as a file (pidfd_open(2), CLONE_PIDFD).
 *  Promise    names whom it was opened for, never a later one with the same id: it holds the process's State, and remembers that its
 *             thread has ended. Readable from the end on; hung up when nothing is left of it: a thread at once, a process when it
 *             was waited for.
 *  Close on exec always. Nothing is read or written through it: EINVAL.
 *  Not here   pidfd_getfd (ENOSYS)
 *  Linux      compare kernel/pid.c:pidfd_open; kernel/fork.c:pidfd_prepare; fs/pidfs.c:pidfd_poll */
import { Errno } from "../../core/abi/errno.js";
import { type Call, onlyFlags, openOf, type State, type Verb } from "./call.js";
import { fail } from "./fail.js";
import { Handle } from "./handle.js";
import { Open, Poll } from "./linux.js";
import { nameless } from "./open.js";
import { anonymousStat } from "./pipe.js";
import { processAt, stageOf } from "./process.js";
import { Stage } from "./service.js";
import type { Stat } from "./stat.js";

/** PIDFD_THREAD. */
const THREAD = Open.Exclusive;

class Pidfd extends Handle {
  private readonly about: Stat;
  private over = false;
  private readonly unwatch: () => void;

  constructor(
    readonly process: State,
    /** undefined: the process. */
    readonly tid: number | undefined,
  ) {
    super();
    this.about = anonymousStat(0o600, process.credentials);
    this.unwatch = process.world.threadEnded.add(() => this.hasEnded());
  }

  stat(): Stat {
    return this.about;
  }
  override get label(): string {
    return "anon_inode:[pidfd]";
  }

  private hasEnded(): boolean {
    const { process, tid } = this;
    if (tid === undefined) return stageOf(process) !== Stage.Live;
    const over = this.over || process.hasEnded || !threadsOf(process).includes(tid);
    // The first thread's id goes on to a thread that executes a program.
    this.over = over && tid !== process.pid;
    return over;
  }

  /** Nobody can be reached by it any more. */
  get isGone(): boolean {
    const { process, tid } = this;
    return tid === undefined || tid === process.pid ? stageOf(process) === Stage.Gone : this.hasEnded();
  }

  override poll(): number {
    return (this.hasEnded() ? Poll.In : 0) | (this.isGone ? Poll.HangUp : 0);
  }
  override watch(_events: number, listener: () => void): () => void {
    const stops = [this.process.ended.add(listener), this.process.world.threadEnded.add(listener)];
    return () => {
      for (const stop of stops) stop();
    };
  }
  protected override dispose(): void {
    this.unwatch();
  }
}

const threadsOf = ({ world, pid }: State): readonly number[] => world.facts.threads?.(pid) ?? [pid];

export const pidfdOpen: Verb = (state, call) => {
  const [id, flags] = [call.int(0), call.uint(1)];
  onlyFlags(flags, Open.NonBlock | THREAD);
  if (id <= 0) fail(Errno.EINVAL);
  return open(state, id, flags);
};

function open(state: State, id: number, flags: number): number {
  const { world } = state;
  const thread = (flags & THREAD) !== 0;
  let process = processAt(world, id);
  if (!process) {
    process = [...world.processes.values()].find((each) => threadsOf(each).includes(id)) ?? fail(Errno.ESRCH);
    if (!thread) fail(Errno.ENOENT);
  }
  const handle = new Pidfd(process, thread ? id : undefined);
  return state.table.adopt(nameless(state, handle, Open.ReadWrite | flags), true);
}

/** HostCall.OpenPidfd. */
export function openPidfd(state: State, call: Call): number {
  return open(state, call.int(0), call.int(1) !== 0 ? THREAD : 0);
}

/** HostCall.ProcessOf. */
export function processOf(state: State, call: Call): number {
  const { handle, nonBlocking } = openOf(state, call.int(0));
  if (!(handle instanceof Pidfd)) return fail(Errno.EBADF);
  if (handle.isGone) fail(Errno.ESRCH);
  const view = call.view(1, 8);
  view.setUint32(0, handle.tid ?? 0, true);
  view.setUint32(4, nonBlocking ? 1 : 0, true);
  return handle.process.pid;
}
