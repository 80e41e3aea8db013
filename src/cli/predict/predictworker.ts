/** cli/predict/predictworker.ts: a thread that simulates the runs it is given, one after another. */
import { parentPort, workerData } from "node:worker_threads";
import type { Patch } from "../../check/twins/index.js";
import type { CoreBuild } from "../../predict/core.js";
import { ModelError } from "../../predict/machine.js";
import { replayOf } from "../../predict/replay/workload.js";
import { simulate, softwareOf } from "../../predict/run.js";
import { workloadOf } from "../../predict/workloads/index.js";
import { Builds } from "../check/builds.js";
import { type Job, REPLAY, type Replay, type Reply } from "./job.js";

const { root, replay } = workerData as { root: string; replay?: Replay };
const builds = new Builds(root);
const layout = builds.layout();
/** By machine, as data: what a fault costs beside the core. */
const software = new Map<string, number>();

parentPort!.on("message", async ({ index, job }: { index: number; job: Job }) => {
  parentPort!.postMessage(await answer(index, job));
});

async function answer(index: number, job: Job): Promise<Reply> {
  try {
    const workload = job.workload === REPLAY ? replayOf(replay!.plan, replay!.compute) : workloadOf(job.workload)!;
    const core = await buildOf(job.patches);
    return { index, outcome: simulate(core, { ...job, workload }, await softwareFor(job)) };
  } catch (error) {
    return { index, error: (error as Error).message, asked: error instanceof ModelError };
  }
}

async function buildOf(patches?: readonly Patch[]): Promise<CoreBuild> {
  return { ...(await builds.core(patches)), layout };
}

/** Of the core that ships, whichever core is then run. */
async function softwareFor({ machine }: Job): Promise<number> {
  const key = JSON.stringify(machine);
  const known = software.get(key) ?? softwareOf(await buildOf(), machine, workloadOf("pft")!);
  software.set(key, known);
  return known;
}
