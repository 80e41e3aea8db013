/** Every buggy twin must be found within a bounded number of seeds; every variant must be clean. */
import { describe, expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { SCENARIOS, scenario } from "../src/check/scenarios.js";
import { TWINS, VARIANTS } from "../src/check/twins.js";
import { Policy, Tables } from "../src/core/abi/mman.js";
import { buildTwin, StalePatch } from "../tools/build-twin.mjs";
import { buildOf } from "./support/check.js";

const ENOUGH = 6000;

describe("buggy twins", () => {
  for (const twin of TWINS) {
    test(`${twin.name} is found: ${twin.about}`, { timeout: 60_000 }, async () => {
      const build = buildOf(await buildTwin(twin.patches));
      const checker = new Checker(build, scenario(twin.scenario), twin.policy, twin.tables, twin.layout);
      const enough = twin.seeds ?? ENOUGH;
      const failure = checker.runSeeds(1, enough);
      expect(failure, `${twin.name} survived ${enough} seeds`).toBeDefined();
      expect(twin.caughtBy).toContain(failure!.rule);
      expect(failure!.columns).toMatch(/actor 0 +│ actor 1/);
      const again = new Checker(build, scenario(twin.scenario), twin.policy, twin.tables, twin.layout).runSeed(
        failure!.seed,
      );
      expect(again).toEqual(failure);
      process.stdout.write(`${twin.name}: seed ${failure!.seed}, trace ${failure!.hash}\n${failure!.text}\n`);
      process.stdout.write(`${failure!.columns}\n\n`);
    });
  }
});

describe("variants", () => {
  for (const variant of VARIANTS) {
    test(`${variant.name} holds in every scenario: ${variant.about}`, { timeout: 60_000 }, async () => {
      const build = buildOf(await buildTwin(variant.patches));
      for (const policy of [Policy.MmapLock, Policy.Optimistic]) {
        for (const each of SCENARIOS) {
          const failure = new Checker(build, each, policy, Tables.Rcu, variant.layout).runSeeds(1, 200);
          expect(failure && `${each.name}, seed ${failure.seed}: ${failure.text}\n${failure.columns}`).toBeUndefined();
        }
      }
    });
  }
});

test("a patch whose line is not there stops the build", async () => {
  const patch = { file: "mm/commit.ts", line: "no such line;", replacement: "" };
  await expect(buildTwin([patch])).rejects.toThrow(StalePatch);
  await expect(buildTwin([patch])).rejects.toThrow('mm/commit.ts: the line "no such line;" is there 0 times, not once');
});
