/**
 * cli/predict/points.ts: what is asked for, as jobs; and the runs of several seeds put together as one point each.
 *
 *   request   workloads × policies × pretouches × protections × layouts × CPU counts × seeds   ─▶ jobs   ─▶ points, a mean and its error each
 */
import { Pretouch } from "../../core/abi/mman.js";
import type { Footprint } from "../../predict/footprint.js";
import type { LayoutName, Machine } from "../../predict/machine.js";
import type { Outcome } from "../../predict/run.js";
import type { Quantiles } from "../../predict/samples.js";
import { nameOf } from "../check/setting.js";
import { PRETOUCHES } from "../options.js";
import type { Job } from "./job.js";

export interface Request {
  readonly machine: Machine;
  readonly workloads: readonly string[];
  readonly policies: readonly string[];
  /** Names; none when not said. */
  readonly pretouches?: readonly string[];
  readonly tables: readonly string[];
  readonly layouts: readonly LayoutName[];
  readonly cpus: readonly number[];
  readonly seeds: number;
  readonly operations: number;
}

export interface Point {
  readonly machine: string;
  readonly workload: string;
  readonly policy: string;
  readonly pretouch: string;
  readonly tables: string;
  readonly layout: string;
  readonly cpus: number;
  /** Operations a second: the mean over the seeds, and the standard error of the mean. */
  readonly rate: number;
  readonly error: number;
  readonly seeds: number;
  /** Means: from the first start to the last end; faults that the core took; what ended otherwise than it was to. */
  readonly elapsedNs: number;
  readonly faulted: number;
  readonly differed: number;
  readonly spent: Readonly<Record<string, number>>;
  readonly faults: Quantiles;
  readonly unmaps: Quantiles;
  readonly ipis: Quantiles;
  readonly irqOff: Quantiles;
  readonly footprint: Footprint;
}

export function jobsOf({
  machine,
  workloads,
  policies,
  pretouches = ["none"],
  tables,
  layouts,
  cpus,
  seeds,
  operations,
}: Request): Job[] {
  const jobs: Job[] = [];
  for (const workload of workloads)
    for (const policy of policies)
      for (const pretouch of pretouches.map((name) => PRETOUCHES[name]))
        for (const table of tables)
          for (const layout of layouts)
            for (const n of cpus)
              for (let seed = 1; seed <= seeds; seed++) {
                jobs.push({ machine, workload, policy, pretouch, tables: table, layout, cpus: n, seed, operations });
              }
  return jobs;
}

/** Points of the jobs that were done, in their order. */
export function pointsOf(jobs: readonly Job[], outcomes: readonly (Outcome | undefined)[]): Point[] {
  const groups = new Map<string, { job: Job; outcomes: Outcome[] }>();
  jobs.forEach((job, i) => {
    const outcome = outcomes[i];
    if (!outcome) return;
    const key = [job.machine.name, job.workload, job.policy, job.pretouch, job.tables, job.layout, job.cpus].join(" ");
    const known = groups.get(key) ?? { job, outcomes: [] };
    known.outcomes.push(outcome);
    groups.set(key, known);
  });
  return [...groups.values()].map(({ job, outcomes }) => pointOf(job, outcomes));
}

function pointOf(job: Job, outcomes: readonly Outcome[]): Point {
  const n = outcomes.length;
  const rates = outcomes.map(({ rate }) => rate);
  const rate = mean(rates);
  const variance = n > 1 ? rates.reduce((sum, each) => sum + (each - rate) ** 2, 0) / (n - 1) : 0;
  const quantiles = (of: (outcome: Outcome) => Quantiles): Quantiles => ({
    count: outcomes.reduce((sum, outcome) => sum + of(outcome).count, 0),
    p50: mean(outcomes.map((outcome) => of(outcome).p50)),
    p99: mean(outcomes.map((outcome) => of(outcome).p99)),
    max: Math.max(...outcomes.map((outcome) => of(outcome).max)),
  });
  return {
    machine: job.machine.name,
    workload: job.workload,
    policy: job.policy,
    pretouch: nameOf(PRETOUCHES, job.pretouch ?? Pretouch.None),
    tables: job.tables,
    layout: job.layout,
    cpus: job.cpus,
    rate,
    error: Math.sqrt(variance / n),
    seeds: n,
    elapsedNs: mean(outcomes.map(({ elapsedNs }) => elapsedNs)),
    faulted: mean(outcomes.map(({ faulted }) => faulted)),
    differed: mean(outcomes.map(({ differed }) => differed)),
    spent: Object.fromEntries(
      Object.keys(outcomes[0].spent).map((name) => [name, mean(outcomes.map(({ spent }) => spent[name]))]),
    ),
    faults: quantiles(({ faults }) => faults),
    unmaps: quantiles(({ unmaps }) => unmaps),
    ipis: quantiles(({ ipis }) => ipis),
    irqOff: quantiles(({ irqOff }) => irqOff),
    footprint: Object.fromEntries(
      Object.keys(outcomes[0].footprint).map((name) => [
        name,
        mean(outcomes.map(({ footprint }) => footprint[name as keyof Footprint])),
      ]),
    ) as unknown as Footprint,
  };
}

function mean(all: readonly number[]): number {
  return all.reduce((sum, each) => sum + each, 0) / all.length;
}
