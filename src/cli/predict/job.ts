/** cli/predict/job.ts: one run that a worker does, and its answer: plain data, for they cross threads. */
import type { Patch } from "../../check/twins/twin.js";
import type { Pretouch } from "../../core/abi/mman.js";
import type { LayoutName, Machine } from "../../predict/machine.js";
import type { Outcome } from "../../predict/run.js";

export interface Job {
  readonly machine: Machine;
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

export type Reply = { index: number; outcome: Outcome } | { index: number; error: string };
