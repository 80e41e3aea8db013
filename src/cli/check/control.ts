/**
 * cli/check/control.ts: the few words that the main thread and its workers share while jobs run.
 *
 *   int32    ┌ all must stop ┬ jobs past this index must stop ┐
 *   float64  └ for each worker: job · executions · events · milliseconds ┘   written by that worker, peeked at for progress
 *
 * A torn or stale figure shows for a quarter of a second; only the two int32 decide anything.
 */
import type { Progress } from "../../check/explore.js";

export interface WorkerInit {
  readonly root: string;
  readonly shared: SharedArrayBuffer;
  readonly slot: number;
}

const HEAD_BYTES = 8;
const STOP = 0;
const LAST = 1;
const FIGURES = 4;

export class Control {
  readonly #head: Int32Array;
  readonly #figures: Float64Array;

  constructor(readonly shared: SharedArrayBuffer) {
    this.#head = new Int32Array(shared, 0, HEAD_BYTES / 4);
    this.#figures = new Float64Array(shared, HEAD_BYTES);
  }

  static for(workers: number): Control {
    const control = new Control(new SharedArrayBuffer(HEAD_BYTES + 8 * FIGURES * workers));
    control.stopAfter(0x7fff_ffff);
    return control;
  }

  stopAll(): void {
    Atomics.store(this.#head, STOP, 1);
  }

  /** Jobs past `index` need not be finished. */
  stopAfter(index: number): void {
    Atomics.store(this.#head, LAST, index);
  }

  mustStop(index: number): boolean {
    return Atomics.load(this.#head, STOP) !== 0 || index > Atomics.load(this.#head, LAST);
  }

  progress(slot: number, job: number, { executions, events, ms }: Progress): void {
    this.#figures.set([job, executions, events, ms], slot * FIGURES);
  }

  progressOf(slot: number): Progress & { job: number } {
    const [job, executions, events, ms] = this.#figures.subarray(slot * FIGURES, (slot + 1) * FIGURES);
    return { job, executions, events, ms };
  }
}
