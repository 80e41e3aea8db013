/** The workloads, in the order in which they are listed. */
import type { Workload } from "../workload.js";
import { pft } from "./pft.js";

export const WORKLOADS: readonly Workload[] = [pft];

export function workloadOf(name: string): Workload | undefined {
  return WORKLOADS.find((workload) => workload.name === name);
}
