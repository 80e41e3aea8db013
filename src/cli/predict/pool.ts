/**
 * cli/predict/pool.ts: runs over worker threads. An answer depends on its job alone, so the number of workers changes nothing.
 * The longest runs, those of most CPUs, begin first.
 */
import { Worker } from "node:worker_threads";
import { ModelError } from "../../predict/machine.js";
import type { Outcome } from "../../predict/run.js";
import type { Job, Replay, Reply } from "./job.js";

export interface Running {
  /** By job; undefined where it was interrupted. */
  readonly outcomes: readonly (Outcome | undefined)[];
  readonly stopped: boolean;
}

export class Pool {
  readonly #root: string;
  readonly #file: URL;
  readonly #workers: number;
  readonly #replay: Replay | undefined;
  #stop: (() => void) | undefined;

  constructor(root: string, file: URL, workers: number, replay?: Replay) {
    this.#root = root;
    this.#file = file;
    this.#workers = workers;
    this.#replay = replay;
  }

  /** What is not done stays undone: run() returns with what there is. */
  stop(): void {
    this.#stop?.();
  }

  async run(jobs: readonly Job[], progress: (done: number) => void): Promise<Running> {
    const outcomes: (Outcome | undefined)[] = jobs.map(() => undefined);
    const order = jobs.map((_, i) => i).sort((a, b) => weight(jobs[b]) - weight(jobs[a]) || a - b);
    let done = 0;
    let next = 0;
    let stopped = false;
    const threads: Worker[] = [];
    await new Promise<void>((resolve, reject) => {
      this.#stop = () => {
        stopped = true;
        resolve();
      };
      const give = (thread: Worker) => {
        if (next < order.length) thread.postMessage({ index: order[next], job: jobs[order[next++]] });
      };
      for (let i = 0; i < Math.min(this.#workers, jobs.length); i++) {
        const workerData = { root: this.#root, replay: this.#replay };
        const thread = new Worker(this.#file, { workerData, execArgv: [] });
        threads.push(thread);
        thread.on("error", reject);
        thread.on("message", (reply: Reply) => {
          if ("error" in reply) {
            reject(reply.asked ? new ModelError(reply.error) : new Error(reply.error));
            return;
          }
          outcomes[reply.index] = reply.outcome;
          progress(++done);
          if (done === jobs.length) resolve();
          else give(thread);
        });
        give(thread);
      }
      if (jobs.length === 0) resolve();
    }).finally(() => Promise.all(threads.map((thread) => thread.terminate())));
    return { outcomes, stopped };
  }
}

function weight({ cpus, operations }: Job): number {
  return cpus * operations;
}
