/**
 * cli/check/split.ts: one exhaustive job on all workers that have nothing else to do.
 *
 *   worker 0   ├─ task 0, alone for half a second ─┤├─ task 2 ─┤├─ …      tasks: check/coordinator.ts
 *   worker 1    (other jobs, or nothing to do)      ├─ task 1 ────┤├─ …
 *
 * Promise    the verdict, and the executions that are not given up half way, are those of one worker. Of several violations
 *            the one shown first is the one found first, which can depend on the number of workers.
 * Locks      their order over all executions is put together here. A circle that no worker saw whole is left to one worker,
 *            who runs the job in one piece and tells it.
 */
import { Coordinator } from "../../check/coordinator.js";
import { EVERY } from "../../check/exhaustive.js";
import { LockOrder } from "../../check/oracle/order.js";
import type { Task } from "../../check/task.js";
import { Violation } from "../../check/violation.js";
import type { Answer, Found, Job } from "./job.js";
import type { Part, PartRequest } from "./part.js";

/** How long a job stays in one piece, and then a task. */
export const WHOLE_MS = 500;
const TASK_MS = 50;

/** What asks for so many executions stays on one worker: they are the first ones. */
export function canSplit({ search, replay }: Job): boolean {
  return search.strategy === "exhaustive" && search.executions === undefined && !replay;
}

export class Split {
  readonly job: Job;
  readonly #coordinator = new Coordinator();
  readonly #order = new LockOrder();
  /** When the first task began: known when it ends. */
  #started: number | undefined;
  #until: number | undefined;
  readonly #wholeMs: number;
  /** Closed by locks that several workers saw. */
  circle = false;
  #begun = 0;
  #failed: Part | undefined;
  #sums = { executions: 0, events: 0, switches: 0, blocked: 0 };

  constructor(job: Job, wholeMs: number) {
    this.job = job;
    this.#wholeMs = wholeMs;
  }

  /** What a free worker can do; nothing when it is decided how this ends. */
  next(): PartRequest | undefined {
    if (this.failed || (this.#until !== undefined && Date.now() >= this.#until)) return undefined;
    const { job } = this;
    const first = this.#begun === 0;
    const task = first ? this.#coordinator.start() : this.#coordinator.next();
    if (!task) return undefined;
    this.#begun++;
    return { job, task, leastMs: first ? this.#wholeMs : TASK_MS, until: this.#until };
  }

  answered(task: Task, part: Part): void {
    this.#started ??= performance.now() - part.ms;
    this.#until ??= Date.now() - part.ms + (this.job.search.milliseconds ?? Number.POSITIVE_INFINITY);
    this.#coordinator.answered(task, part.outcome);
    const { executions, events, switches, blocked } = this.#sums;
    this.#sums = {
      executions: executions + part.executions,
      events: events + part.events,
      switches: switches + part.switches,
      blocked: blocked + part.blocked,
    };
    if (part.failure) this.#failed ??= part;
    try {
      if (!part.failure) this.#order.join(part.order);
    } catch (thrown) {
      if (!(thrown instanceof Violation)) throw thrown;
      this.circle = true;
    }
  }

  /** What others still do for this job is in vain. */
  get failed(): boolean {
    return this.#failed !== undefined || this.circle;
  }

  get running(): number {
    return this.#coordinator.running;
  }

  get soFar() {
    return { ...this.#sums, ms: this.#started === undefined ? 0 : performance.now() - this.#started };
  }

  /** Once nobody is at it. */
  get answer(): Answer {
    const figures = { scenario: this.job.subject.scenario, ...this.soFar };
    const failure = this.#failed?.failure;
    if (failure) {
      const claim = `a violation in execution ${figures.executions}`;
      return { verdict: { ...figures, reach: "interrupted", claim, failure }, told: this.#failed!.told };
    }
    const whole = this.#coordinator.over;
    const verdict: Found = { ...figures, reach: whole ? "complete" : "interrupted", claim: EVERY };
    if (!whole) verdict.claim = `stopped on the way to ${EVERY}`;
    return { verdict };
  }
}
