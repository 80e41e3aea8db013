/** The workloads, in the order in which they are listed. */
import type { Workload } from "../workload.js";
import { appStart } from "./appStart.js";
import { mmap1 } from "./mmap1.js";
import { pageFault1 } from "./pageFault1.js";
import { pageFault2, pageFault3 } from "./pageFaultFile.js";
import { pft, pftShared, pftVmas } from "./pft.js";
import { remoteJoined, remoteReaders } from "./remoteReaders.js";
import { tlbFlush2 } from "./tlbFlush2.js";
import { writers } from "./writers.js";

export const WORKLOADS: readonly Workload[] = [
  pft,
  pftVmas,
  pftShared,
  pageFault1,
  pageFault2,
  pageFault3,
  mmap1,
  tlbFlush2,
  writers,
  appStart,
  remoteReaders,
  remoteJoined,
];

export function workloadOf(name: string): Workload | undefined {
  return WORKLOADS.find((workload) => workload.name === name);
}
