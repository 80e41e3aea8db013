/**
 * cli/check/part.ts: a worker's part of one exhaustive search: a task (check/task.ts) explored until it is finished, or others
 * want work, or it must stop.
 *
 *   main ──PartRequest──▶ worker ──Part──▶ main      split.ts hands them out and puts them together
 */
import { Checker } from "../../check/checker.js";
import type { CoreBuild } from "../../check/hooked.js";
import { LockOrder, type SeenOrder } from "../../check/oracle/order.js";
import type { Failure } from "../../check/scenario.js";
import { scenario } from "../../check/scenarios/index.js";
import { Subtree } from "../../check/subtree.js";
import type { Outcome, Task } from "../../check/task.js";
import type { Control } from "./control.js";
import type { Job, Told } from "./job.js";

export interface PartRequest {
  readonly job: Job;
  readonly task: Task;
  /** So long it is not left, whoever wants work. */
  readonly leastMs: number;
  /** When the time is up, by the clock on the wall; absent for the first task: with it the time begins. */
  readonly until?: number | undefined;
}

export interface Part {
  readonly outcome: Outcome;
  readonly executions: number;
  readonly events: number;
  readonly switches: number;
  readonly blocked: number;
  readonly ms: number;
  /** All that this worker has seen of the order of locks in this job. */
  readonly order: SeenOrder;
  readonly failure?: Failure | undefined;
  readonly told?: Told | undefined;
}

/** Executions between two looks at the clock. */
const BETWEEN = 16;

/** The machine of one job, for all its parts. */
export class PartExplorer {
  readonly job: number;
  readonly #order = new LockOrder();
  readonly #checker: Checker;
  readonly #search: Subtree;

  constructor(build: CoreBuild, { index, subject, boot }: Job) {
    this.job = index;
    const { policy, tables, layout, pretouch } = boot;
    this.#checker = new Checker(build, scenario(subject.scenario), policy, tables, layout, this.#order, pretouch);
    this.#checker.scheduler.irqIsReader = boot.irqIsReader ?? true;
    this.#search = new Subtree(this.#checker.system);
  }

  run({ job, task, leastMs, until }: PartRequest, control: Control, slot: number): Part {
    const search = this.#search;
    const end = until ?? Date.now() + (job.search.milliseconds ?? Number.POSITIVE_INFINITY);
    const started = performance.now();
    const before = this.#figures();
    const since = () => {
      const now = this.#figures();
      return {
        executions: now.executions - before.executions,
        events: now.events - before.events,
        switches: now.switches - before.switches,
        blocked: now.blocked - before.blocked,
      };
    };
    const mustLeave = () => {
      if ((this.#checker.executions - before.executions) % BETWEEN !== 0) return false;
      const ms = performance.now() - started;
      control.progress(slot, job.index, { ...since(), ms });
      if (control.mustStop(job.index) || Date.now() >= end) return true;
      return ms >= leastMs && control.workWanted;
    };
    control.progress(slot, job.index, { executions: 0, events: 0, ms: 0 });
    search.take(task);
    let failure: Failure | undefined;
    do failure = this.#checker.run(search);
    while (!failure && !mustLeave() && search.more());
    return { outcome: search.leave(), ...since(), ms: performance.now() - started, order: this.#order.seen, failure };
  }

  #figures() {
    const { executions, figures } = this.#checker;
    const { events, switches } = figures;
    return { executions, events, switches, blocked: this.#search.figures.blocked };
  }
}
