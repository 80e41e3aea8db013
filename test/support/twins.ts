/** One buggy twin: built, looked for, found, told, and found again by its seed. */
import { expect } from "vitest";
import { Checker } from "../../src/check/checker.js";
import type { CoreBuild } from "../../src/check/hooked.js";
import { scenario } from "../../src/check/scenarios/index.js";
import type { Patch, Twin } from "../../src/check/twins/index.js";
import { buildTwin } from "../../tools/build-twin.mjs";
import { buildOf } from "./check.js";

/** How many random walks find a twin, unless it says otherwise. */
const ENOUGH = 6000;
const builds = new Map<string, Promise<CoreBuild>>();

/** One build of each broken core, however many scenarios look for it. */
function built(patches: readonly Patch[]): Promise<CoreBuild> {
  const key = JSON.stringify(patches);
  const known = builds.get(key) ?? buildTwin(patches).then(buildOf);
  builds.set(key, known);
  return known;
}

export async function mustBeFound(twin: Twin): Promise<void> {
  const build = await built(twin.patches);
  const checker = () => new Checker(build, scenario(twin.scenario), twin.policy, twin.tables, twin.layout);
  const seeds = twin.seeds ?? ENOUGH;
  const failure = checker().runSeeds(1, seeds);
  expect(failure, `${twin.name} survived ${seeds} seeds`).toBeDefined();
  expect(twin.caughtBy).toContain(failure!.rule);
  expect(failure!.columns).toMatch(/actor 0 +│ actor 1/);
  expect(checker().runSeed(failure!.seed)).toEqual(failure);
  process.stdout.write(`${twin.name}: seed ${failure!.seed}, trace ${failure!.hash}\n${failure!.text}\n`);
  process.stdout.write(`${failure!.columns}\n\n`);
}
