/**
 * run/hostport.ts: a worker's requests to the main thread.
 *
 * Algorithm  post the request, sleep idle until Pending.Reply, read the answer. Meanwhile nobody waits for this CPU, and
 *            nothing it knew of memory survives.
 * Signals    a kick during the wait asks the main thread, once, to cut the request short; the answer still comes exactly
 *            once, and says what was done. So no byte of a pipe is lost to a signal.
 * Stop       the same, since the answer must not reach the next thread of this worker: the wait goes on to its end, and the
 *            Stop is there again after it.
 */
import { Pending } from "../core/abi/pending.js";
import type { Core } from "./core.js";
import type { WorkerHost } from "./messages.js";

/** Unwinds a thread that is told to end: its process ends, or another of its threads executes a program. */
export class ThreadStopped extends Error {}

export class HostPort {
  private readonly reply: Float64Array;
  tid = 0;
  pid = 0;

  constructor(
    readonly core: Core,
    readonly cpu: number,
    private readonly host: WorkerHost,
    reply: SharedArrayBuffer,
  ) {
    this.reply = new Float64Array(reply, 0, 1);
  }

  /** Asks and waits: zero or more, or a negative errno. `interruptible` requests are cut short by a signal. */
  request(nr: number, args: readonly bigint[], flags: number, interruptible: boolean): number {
    const { core, cpu } = this;
    this.host.post({ kind: "call", pid: this.pid, tid: this.tid, nr, args, flags });
    let cancelled = !interruptible;
    let stopped = false;
    for (;;) {
      // Looked at with the kick taken, before each sleep: an earlier request of the same call may have taken it.
      if (!cancelled && (stopped || core.signalWaits(cpu) !== 0)) {
        cancelled = true;
        this.host.post({ kind: "cancel" });
      }
      core.sleep(cpu, -1n);
      if (core.takePending(cpu, Pending.Stop) !== 0) stopped = true;
      if (core.takePending(cpu, Pending.Reply) !== 0) {
        // A kick that came with the answer is still there for the return to user mode: it is only taken with a check.
        if (stopped) core.post(cpu, Pending.Stop);
        return this.reply[0] as number;
      }
      core.takePending(cpu, Pending.Kick | Pending.Wake);
    }
  }

  release(object: number): void {
    this.host.post({ kind: "release", object });
  }
}
