/**
 * cli/check/pool.ts: jobs over worker threads, and the same answers whatever their number.
 *
 *   jobs      0 1 2 3 4 5 …      taken in order by whichever worker is free
 *   answers   ✓ ✓ ✗ ✓ ·          the first violation is that of the lowest index: what comes after it is left out,
 *                                also where a worker was faster; what comes before it is finished
 *
 * Stopping  Ctrl-C asks every worker to stop after its execution; one that is too long in something else (a build, the
 *           telling) is ended, and its job counts as interrupted with the figures last seen.
 */
import { Worker } from "node:worker_threads";
import type { Progress } from "../../check/explore.js";
import { Control, type WorkerInit } from "./control.js";
import type { Answer, Job } from "./job.js";

/** How long a worker that is asked to stop may take. */
const GRACE_MS = 1500;

export class JobError extends Error {
  constructor(
    message: string,
    /** The request is at fault, not the checker. */
    readonly usage: boolean,
  ) {
    super(message);
  }
}

export interface Hooks {
  /** A worker's file and the checkout. */
  readonly worker: URL;
  readonly root: string;
  readonly workers: number;
  /** Past the first violation nothing is begun. */
  readonly stopsAtViolation: boolean;
  /** Each answer as it comes, in no order. */
  answered(job: Job, answer: Answer): void;
}

type Reply = { answer: Answer } | { error: string; usage: boolean };

export class Pool {
  readonly control: Control;
  readonly #jobs: readonly Job[];
  readonly #hooks: Hooks;
  readonly #workers: Worker[] = [];
  readonly #current: (Job | undefined)[] = [];
  #next = 0;
  #done = 0;
  #failed: JobError | undefined;
  #stopped = false;
  #end: () => void = () => {};

  constructor(jobs: readonly Job[], hooks: Hooks) {
    this.#jobs = jobs;
    this.#hooks = hooks;
    this.control = Control.for(Math.max(1, Math.min(hooks.workers, jobs.length)));
  }

  /** All jobs, or those up to the first violation. */
  async run(): Promise<void> {
    const count = Math.min(this.#hooks.workers, this.#jobs.length);
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve;
    });
    for (let slot = 0; slot < count; slot++) this.#start(slot);
    if (count > 0) await ended;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    if (this.#failed) throw this.#failed;
  }

  /** Jobs answered, and what the workers are at. */
  progress(): { done: number; all: number; at: (Progress & { job: Job })[] } {
    const at = this.#current.flatMap((job, slot) => {
      if (!job) return [];
      const { job: index, ...figures } = this.control.progressOf(slot);
      return index === job.index ? { job, ...figures } : { job, executions: 0, events: 0, ms: 0 };
    });
    return { done: this.#done, all: this.#jobs.length, at };
  }

  stop(): void {
    this.#stopped = true;
    this.control.stopAll();
    setTimeout(() => this.#end(), GRACE_MS).unref();
    this.#endIfIdle();
  }

  #start(slot: number): void {
    const { root, worker } = this.#hooks;
    const workerData: WorkerInit = { root, shared: this.control.shared, slot };
    const thread = new Worker(worker, { workerData, execArgv: [] });
    this.#workers[slot] = thread;
    thread.on("message", (reply: Reply) => this.#reply(slot, reply));
    thread.on("error", (error) => this.#fail(new JobError(error.message, false)));
    this.#give(slot);
  }

  #give(slot: number): void {
    const job = this.#stopped || this.#failed ? undefined : this.#jobs[this.#next];
    this.#current[slot] = job && !this.control.mustStop(job.index) ? job : undefined;
    if (!this.#current[slot]) {
      this.#endIfIdle();
      return;
    }
    this.#next++;
    this.#workers[slot].postMessage(job);
  }

  #reply(slot: number, reply: Reply): void {
    const job = this.#current[slot]!;
    if ("error" in reply) {
      this.#fail(new JobError(reply.error, reply.usage), job);
      return;
    }
    const { answer } = reply;
    this.#done++;
    if (answer.verdict.failure && this.#hooks.stopsAtViolation && !this.control.mustStop(job.index)) {
      this.control.stopAfter(job.index);
    }
    this.#hooks.answered(job, answer);
    this.#give(slot);
  }

  #fail(error: JobError, job?: Job): void {
    const { scenario, twin } = job?.subject ?? {};
    this.#failed ??= error.usage ? error : new JobError(`${twin ?? scenario ?? "a worker"}: ${error.message}`, false);
    this.#end();
  }

  #endIfIdle(): void {
    if (this.#current.every((job) => !job)) this.#end();
  }
}
