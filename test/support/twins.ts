/** One buggy twin: built, looked for, found, told, and found again by its seed. */
import { expect } from "vitest";
import { Checker } from "../../src/check/checker.js";
import { scenario } from "../../src/check/scenarios/index.js";
import type { Twin } from "../../src/check/twins.js";
import { buildTwin } from "../../tools/build-twin.mjs";
import { buildOf } from "./check.js";

export async function mustBeFound(twin: Twin, seeds: number): Promise<void> {
  const build = buildOf(await buildTwin(twin.patches));
  const checker = () => new Checker(build, scenario(twin.scenario), twin.policy, twin.tables, twin.layout);
  const failure = checker().runSeeds(1, seeds);
  expect(failure, `${twin.name} survived ${seeds} seeds`).toBeDefined();
  expect(twin.caughtBy).toContain(failure!.rule);
  expect(failure!.columns).toMatch(/actor 0 +│ actor 1/);
  expect(checker().runSeed(failure!.seed)).toEqual(failure);
  process.stdout.write(`${twin.name}: seed ${failure!.seed}, trace ${failure!.hash}\n${failure!.text}\n`);
  process.stdout.write(`${failure!.columns}\n\n`);
}
