/** cli/predict/job.ts: one run that a worker does, and its answer: plain data, for they cross threads. */
import type { Patch } from "../../check/twins/twin.js";
import type { Pretouch } from "../../core/abi/mman.js";
import type { LayoutName, Machine } from "../../predict/machine.js";
import type { Plan } from "../../predict/replay/plan.js";
import type { Outcome } from "../../predict/run.js";

export interface Job {
  readonly machine: Machine;
  /** Its name; REPLAY: the plan that the pool's workers were given. */
  readonly workload: string;
  readonly cpus: number;
  readonly policy: string;
  readonly tables: string;
  readonly layout: LayoutName;
  readonly seed: number;
  readonly operations: number;
  /** Absent: the core that ships. */
  readonly patches?: readonly Patch[] | undefined;
  readonly pretouch?: Pretouch | undefined;
}

/** No workload's name. */
export const REPLAY = "";

/** What every run of a replay has in common. */
export interface Replay {
  readonly plan: Plan;
  /** The program's own time counts so many times. */
  readonly compute: number;
}

export type Reply = { index: number; outcome: Outcome } | Failure;

/** `asked`: what was asked for can not be; else it is a fault of ours. */
export interface Failure {
  readonly index: number;
  readonly error: string;
  readonly asked: boolean;
}
