/**
 * cli/check/pool.ts: jobs over worker threads, and the same answers whatever their number.
 *
 *   jobs      0 1 2 3 4 5 …      taken in order by whichever worker is free
 *   answers   ✓ ✓ ✗ ✓ ·          the first violation is that of the lowest index: what comes after it is left out,
 *                                also where a worker was faster; what comes before it is finished
 *
 * Sharing   who finds no job left helps with an exhaustive one that is under way (split.ts). Threads start when first needed.
 * Stopping  Ctrl-C asks every worker to stop after its execution; one that is too long in something else (a build, the
 *           telling) is ended, and its job counts as interrupted with the figures last seen.
 */
import { Worker } from "node:worker_threads";
import type { Progress } from "../../check/explore.js";
import { Control, type WorkerInit } from "./control.js";
import type { Answer, Job } from "./job.js";
import type { Part, PartRequest } from "./part.js";
import { canSplit, Split, WHOLE_MS } from "./split.js";

/** How long a worker that is asked to stop may take. */
const GRACE_MS = 1500;

export class JobError extends Error {
  constructor(
    message: string,
    /** The request is at fault, not the checker. */
    readonly usage: boolean,
    /** What the worker was at. */
    readonly job?: Job,
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
  /** How long a job that can be shared stays with one worker all the same. */
  readonly wholeMs?: number;
  /** Each answer as it comes, in no order. */
  answered(job: Job, answer: Answer): void;
}

type Reply = { answer: Answer } | { part: Part } | { error: string; usage: boolean };

export class Pool {
  readonly control: Control;
  readonly #jobs: readonly Job[];
  readonly #hooks: Hooks;
  readonly #workers: (Worker | undefined)[] = [];
  /** By worker: what it is at. */
  readonly #current: (Job | PartRequest | undefined)[];
  readonly #splits = new Map<Job, Split>();
  /** Jobs begun. */
  #taken = 0;
  #done = 0;
  #failed: JobError | undefined;
  #stopped = false;
  #end: () => void = () => {};

  constructor(jobs: readonly Job[], hooks: Hooks) {
    this.#jobs = jobs;
    this.#hooks = hooks;
    const count = jobs.some(canSplit) ? hooks.workers : Math.min(hooks.workers, jobs.length);
    this.control = Control.for(Math.max(1, count));
    this.#current = Array.from({ length: count });
  }

  /** All jobs, or those up to the first violation. */
  async run(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve;
    });
    this.#giveAll();
    await ended;
    await Promise.all(this.#workers.map((worker) => worker?.terminate()));
    if (this.#failed) throw this.#failed;
  }

  /** Jobs answered, and what the workers are at. */
  progress(): { done: number; all: number; at: (Progress & { job: Job })[] } {
    const at = new Map<Job, Progress & { job: Job }>();
    this.#current.forEach((asked, slot) => {
      if (!asked) return;
      const job = jobOf(asked);
      const now = this.control.progressOf(slot);
      const known = at.get(job) ?? { job, executions: 0, events: 0, ms: 0, ...this.#splits.get(job)?.soFar };
      at.set(job, known);
      if (now.job !== job.index) return;
      known.executions += now.executions;
      known.events += now.events;
      known.ms = Math.max(known.ms, now.ms);
    });
    return { done: this.#done, all: this.#jobs.length, at: [...at.values()] };
  }

  stop(): void {
    this.#stopped = true;
    this.control.stopAll();
    setTimeout(() => this.#end(), GRACE_MS).unref();
    this.#endIfIdle();
  }

  #threadOf(slot: number): Worker {
    const { root, worker } = this.#hooks;
    const workerData: WorkerInit = { root, shared: this.control.shared, slot };
    const thread = new Worker(worker, { workerData, execArgv: [] });
    thread.on("message", (reply: Reply) => this.#reply(slot, reply));
    thread.on("error", (error) => this.#fail(new JobError(error.message, false)));
    return thread;
  }

  /** Work for every worker that has none. Whoever is at a job that can be shared is told when there is not enough. */
  #giveAll(): void {
    for (let slot = 0; slot < this.#current.length; slot++) {
      if (!this.#current[slot]) this.#give(slot, this.#takeWork());
    }
    const failed = [...this.#splits.values()].some((split) => split.failed);
    this.control.wantWork(failed || this.#current.includes(undefined));
    this.#endIfIdle();
  }

  #give(slot: number, asked: Job | PartRequest | undefined): void {
    this.#current[slot] = asked;
    if (!asked) return;
    this.#workers[slot] ??= this.#threadOf(slot);
    this.#workers[slot].postMessage(asked);
  }

  #takeWork(): Job | PartRequest | undefined {
    if (this.#stopped || this.#failed) return undefined;
    const job = this.#jobs[this.#taken];
    if (job && !this.control.mustStop(job.index)) {
      this.#taken++;
      if (this.#current.length === 1 || !canSplit(job)) return job;
      const split = new Split(job, this.#hooks.wholeMs ?? WHOLE_MS);
      this.#splits.set(job, split);
      return split.next();
    }
    for (const [{ index }, split] of this.#splits) {
      const request = this.control.mustStop(index) ? undefined : split.next();
      if (request) return request;
    }
    return undefined;
  }

  #reply(slot: number, reply: Reply): void {
    const asked = this.#current[slot]!;
    const job = jobOf(asked);
    this.#current[slot] = undefined;
    if ("error" in reply) {
      this.#fail(new JobError(reply.error, reply.usage), job);
      return;
    }
    if ("part" in reply) this.#partly(slot, asked as PartRequest, reply.part);
    else this.#answered(job, reply.answer);
    this.#giveAll();
  }

  /** A part of a job is done: all of it, if nobody is at another and there are no more. */
  #partly(slot: number, { job, task }: PartRequest, part: Part): void {
    const split = this.#splits.get(job)!;
    split.answered(task, part);
    if (split.running > 0) return;
    const request = this.#stopped || this.control.mustStop(job.index) ? undefined : split.next();
    if (request) {
      this.#give(slot, request);
      return;
    }
    this.#splits.delete(job);
    if (split.circle && !this.#stopped) this.#give(slot, job);
    else this.#answered(job, split.answer);
  }

  #answered(job: Job, answer: Answer): void {
    this.#done++;
    if (answer.verdict.failure && this.#hooks.stopsAtViolation && !this.control.mustStop(job.index)) {
      this.control.stopAfter(job.index);
    }
    this.#hooks.answered(job, answer);
  }

  #fail(error: JobError, job?: Job): void {
    const { scenario, twin } = job?.subject ?? {};
    this.#failed ??= error.usage
      ? error
      : new JobError(`${twin ?? scenario ?? "a worker"}: ${error.message}`, false, job);
    this.#end();
  }

  #endIfIdle(): void {
    if (this.#current.every((asked) => !asked)) this.#end();
  }
}

function jobOf(asked: Job | PartRequest): Job {
  return "task" in asked ? asked.job : asked;
}
