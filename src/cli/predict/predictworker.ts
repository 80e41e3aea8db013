/** cli/predict/predictworker.ts: a thread that simulates the runs it is given, one after another. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import type { CoreBuild } from "../../predict/core.js";
import { simulate, softwareOf } from "../../predict/run.js";
import { workloadOf } from "../../predict/workloads/index.js";
import { Builds } from "../check/builds.js";
import type { Job, Reply } from "./job.js";

const { root } = workerData as { root: string };
const build = load();
const builds = new Builds(root);
/** By machine, as data: what a fault costs beside the core. */
const software = new Map<string, number>();

parentPort!.on("message", async ({ index, job }: { index: number; job: Job }) => {
  parentPort!.postMessage(await answer(index, job));
});

async function answer(index: number, job: Job): Promise<Reply> {
  try {
    const workload = workloadOf(job.workload)!;
    const core = job.patches ? { ...(await builds.core(job.patches)), layout: build.layout } : build;
    return { index, outcome: simulate(core, { ...job, workload }, softwareFor(job)) };
  } catch (error) {
    return { index, error: (error as Error).message };
  }
}

/** Of the core that ships, whichever core is then run. */
function softwareFor({ machine }: Job): number {
  const key = JSON.stringify(machine);
  const known = software.get(key) ?? softwareOf(build, machine, workloadOf("pft")!);
  software.set(key, known);
  return known;
}

function load(): CoreBuild {
  const read = (name: string) => readFileSync(join(root, "build", name)) as Buffer<ArrayBuffer>;
  const json = (name: string) => JSON.parse(read(name).toString());
  return {
    hooked: new WebAssembly.Module(read("hooked.wasm")),
    core: new WebAssembly.Module(read("core.wasm")),
    sites: json("sites.json"),
    layout: json("layout.json"),
  };
}
