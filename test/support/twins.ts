/** One buggy twin: built, looked for, found, told, and found again by its seed. */
import { expect } from "vitest";
import { Checker } from "../../src/check/checker.js";
import type { CoreBuild } from "../../src/check/hooked.js";
import type { Failure } from "../../src/check/scenario.js";
import { scenario } from "../../src/check/scenarios/index.js";
import { runStalls } from "../../src/check/stall.js";
import { type Patch, TWINS, type Twin } from "../../src/check/twins/index.js";
import { buildTwin } from "../../tools/build-twin.mjs";
import { buildOf } from "./check.js";

/** How many random walks find a twin, unless it says otherwise. */
const ENOUGH = 6000;
const A_FEW = 200;

/** Of those that are found soon, one in eight: each is a build of its own. */
export const FEW_TWINS = TWINS.filter(({ seeds, long }) => seeds === undefined && !long).filter((_, i) => i % 8 === 0);

/** The others, in two parts that share no build: each for a worker. */
export function otherTwins(part: 0 | 1): readonly Twin[] {
  const others = TWINS.filter((twin) => !FEW_TWINS.includes(twin));
  const keys = [...new Set(others.map(({ patches }) => JSON.stringify(patches)))];
  return others.filter(({ patches }) => keys.indexOf(JSON.stringify(patches)) % 2 === part);
}

const builds = new Map<string, Promise<CoreBuild>>();

/** One build of each broken core, however many scenarios look for it. */
function built(patches: readonly Patch[]): Promise<CoreBuild> {
  const key = JSON.stringify(patches);
  const known = builds.get(key) ?? buildTwin(patches).then(buildOf);
  builds.set(key, known);
  return known;
}

/** Random walks, a few; then an actor that stands still in each place; then more random walks. */
function find(twin: Twin, build: CoreBuild): Failure | undefined {
  const { policy, tables, layout, pretouch } = twin;
  const checker = new Checker(build, scenario(twin.scenario), policy, tables, layout, undefined, pretouch);
  const seeds = twin.seeds ?? ENOUGH;
  return checker.runSeeds(1, A_FEW) ?? runStalls(checker) ?? checker.runSeeds(1 + A_FEW, seeds - A_FEW);
}

export async function mustBeFound(twin: Twin): Promise<void> {
  const build = await built(twin.patches);
  const failure = find(twin, build);
  expect(failure, `${twin.name} survived in ${twin.scenario}`).toBeDefined();
  expect(twin.caughtBy).toContain(failure!.rule);
  expect(failure!.columns).toMatch(/actor 0 +│ actor 1/);
  expect(find(twin, build)).toEqual(failure);
}
