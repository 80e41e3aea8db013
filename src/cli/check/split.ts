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
const WHOLE_MS = 500;
const TASK_MS = 50;

/** A count of executions, a changed core and a schedule stay on one worker: what they print is the same every time. */
export function canSplit({ search, patches, replay }: Job): boolean {
  return search.strategy === "exhaustive" && search.executions === undefined && !patches && !replay;
}

export class Split {
  readonly job: Job;
  readonly #coordinator = new Coordinator();
  readonly #order = new LockOrder();
  readonly #started = performance.now();
  readonly #until: number;
  /** Closed by locks that several workers saw. */
  circle = false;
  #begun = 0;
  #failed: Part | undefined;
  #sums = { executions: 0, events: 0, switches: 0, blocked: 0 };

  constructor(job: Job) {
    this.job = job;
    this.#until = Date.now() + (job.search.milliseconds ?? Number.POSITIVE_INFINITY);
  }

  /** What a free worker can do; nothing when it is decided how this ends. */
  next(): PartRequest | undefined {
    if (this.failed || Date.now() >= this.#until) return undefined;
    const { job } = this;
    const first = this.#begun === 0;
    const task = first ? this.#coordinator.start() : this.#coordinator.next();
    if (!task) return undefined;
    this.#begun++;
    return { job, task, leastMs: first ? WHOLE_MS : TASK_MS, until: this.#until };
  }

  answered(task: Task, part: Part): void {
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
    return { ...this.#sums, ms: performance.now() - this.#started };
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
