/** A simulated run for tests: pft on Skylake, short, unless they say otherwise. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadMachine } from "../../src/cli/predict/machines.js";
import type { CoreBuild } from "../../src/predict/core.js";
import { type Outcome, type Request, simulate } from "../../src/predict/run.js";
import { workloadOf } from "../../src/predict/workloads/index.js";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const build = load();
export const skylake = loadMachine(ROOT, "skylake-112");
export const pft = workloadOf("pft")!;
const SOFTWARE_NS = 1000;

function load(): CoreBuild {
  const read = (name: string) => readFileSync(join(ROOT, "build", name)) as Buffer<ArrayBuffer>;
  const json = (name: string) => JSON.parse(read(name).toString());
  return {
    hooked: new WebAssembly.Module(read("hooked.wasm")),
    core: new WebAssembly.Module(read("core.wasm")),
    sites: json("sites.json"),
    layout: json("layout.json"),
  };
}

export function run(changes: Partial<Request> = {}): Outcome {
  const request: Request = {
    machine: skylake,
    workload: pft,
    cpus: 8,
    policy: "optimistic",
    tables: "rcu",
    layout: "page",
    seed: 1,
    operations: 120,
    ...changes,
  };
  return simulate(build, request, SOFTWARE_NS);
}
