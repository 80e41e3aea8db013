/**
 * run/leftovers.ts: what a machine still holds when every process has ended: nothing, or that is a leak.
 *
 * Asked     by tests (FAULTLINE_VERIFY=1), after the first process's end has been heard.
 * Algorithm wait until every worker is back in the pool; drive grace periods until nothing is deferred; ask the core to check
 *           its structures (verifySpace), then count. Only the program's own object may be left: the machine holds it.
 */
import { Stat } from "../core/abi/stat.js";
import { bugText, type Core } from "./core.js";

const LOOK_MS = 2;
const PATIENCE_MS = 3000;
const ROUNDS = 1000;
/** Records that may be left, by what they are. */
const KEPT: ReadonlyArray<readonly [what: Stat, name: string, most: number]> = [
  [Stat.Vmas, "mappings", 0],
  [Stat.VmaRecords, "records of mappings", 0],
  [Stat.NodeRecords, "nodes of trees", 0],
  [Stat.ObjectRecords, "objects", 1],
  [Stat.SpaceRecords, "spaces", 0],
];

/** A sentence about what is left, or nothing. `workers` have been started: they wait in the pool once their threads ended. */
export async function leftovers(core: Core, service: number, workers: () => number): Promise<string | undefined> {
  const from = performance.now();
  while (core.idleWorkersRacy() < workers()) {
    if (performance.now() - from > PATIENCE_MS)
      return `${workers() - core.idleWorkersRacy()} workers never ended their threads`;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  const deferred = core.settle(service, ROUNDS);
  core.settleHost(service);
  if (deferred !== 0) return `${deferred} records wait for a grace period that does not end`;
  const bug = core.verifySpace(service);
  if (bug !== 0) return bugText(bug);
  const left = KEPT.filter(([what, , most]) => core.stat(what) > most);
  return left.length === 0 ? undefined : left.map(([what, name]) => `${core.stat(what)} ${name}`).join(", ");
}
