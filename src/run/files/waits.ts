/** files/waits.ts: calls that have to wait.
 *  A call tries; what would block is tried again whenever one of the things it watches has changed, until it has an
 *  answer, its time is over, or it is cancelled. At most one call a CPU waits; every one is answered exactly once. */
import { Errno } from "../../core/abi/errno.js";
import { attempt } from "./fail.js";

export interface Wait {
  readonly cpu: number;
  /** The result, or -EAGAIN to go on waiting. */
  readonly attempt: () => number;
  /** Starts telling the listener about changes; returns what stops it. */
  readonly watch: (listener: () => void) => () => void;
  /** The answer when cancelled; -EINTR unless something was moved already. */
  readonly cancelled?: () => number;
  /** Milliseconds until `expired` is the answer; undefined waits for ever. */
  readonly timeoutMs?: number | undefined;
  readonly expired?: () => number;
}

/** The longest a timer runs; a longer wait is many of them. */
const TIMER_MAX_MS = 2 ** 30;

export class Waits {
  private readonly waiting = new Map<number, () => void>();

  /** Tries at once; the answer is then immediate. */
  until(wait: Wait): number | Promise<number> {
    const first = attempt(wait.attempt);
    if (first !== -Errno.EAGAIN) return first;
    if (wait.timeoutMs === 0) return wait.expired?.() ?? 0;
    return new Promise((resolve) => this.park(wait, resolve));
  }

  private park(wait: Wait, resolve: (result: number) => void): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stop: () => void = () => {};
    let done = false;
    const finish = (result: number): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      stop();
      this.waiting.delete(wait.cpu);
      resolve(result);
    };
    // An attempt that moves bytes tells everybody who watches, this wait too: it must not try inside its own trying.
    let trying = false;
    let changed = false;
    const again = (): void => {
      changed = true;
      if (done || trying) return;
      trying = true;
      let result = -Errno.EAGAIN;
      while (changed && result === -Errno.EAGAIN) {
        changed = false;
        result = attempt(wait.attempt);
      }
      trying = false;
      if (result !== -Errno.EAGAIN) finish(result);
    };
    const sleep = (leftMs: number): void => {
      const runMs = Math.min(leftMs, TIMER_MAX_MS);
      const over = (): void => (leftMs > runMs ? sleep(leftMs - runMs) : finish(wait.expired?.() ?? 0));
      timer = setTimeout(over, runMs);
    };
    this.waiting.set(wait.cpu, () => finish(wait.cancelled?.() ?? -Errno.EINTR));
    if (wait.timeoutMs !== undefined) sleep(wait.timeoutMs);
    stop = wait.watch(again);
    if (done) stop();
    // A change between the first attempt and the watch is not told again.
    else again();
  }

  cancel(cpu: number): void {
    this.waiting.get(cpu)?.();
  }

  cancelAll(): void {
    for (const cancel of [...this.waiting.values()]) cancel();
  }
}
