/** Every buggy twin must be found within a bounded number of seeds (the rare ones: test/full); every variant must be clean. */
import { describe, expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { SCENARIOS } from "../src/check/scenarios/index.js";
import { TWINS, VARIANTS } from "../src/check/twins/index.js";
import { Policy, Tables } from "../src/core/abi/mman.js";
import { buildTwin, StalePatch } from "../tools/build-twin.mjs";
import { buildOf } from "./support/check.js";
import { mustBeFound } from "./support/twins.js";

describe("buggy twins", () => {
  for (const twin of TWINS.filter(({ seeds, long }) => seeds === undefined && !long)) {
    test(`${twin.name} is found: ${twin.about}`, { timeout: 60_000 }, () => mustBeFound(twin));
  }
});

/** All of them among the long tests. */
const LED_ELSEWHERE = SCENARIOS.filter(
  ({ tags }, i) => process.env.FAULTLINE_FULL === "1" || (!tags.includes("large") && i % 4 === 0),
);

describe("variants", () => {
  for (const variant of VARIANTS) {
    test(`${variant.name} holds: ${variant.about}`, { timeout: 60_000 }, async () => {
      const build = buildOf(await buildTwin(variant.patches));
      for (const policy of variant.policies ?? [Policy.MmapLock, Policy.Optimistic]) {
        for (const each of LED_ELSEWHERE) {
          const checker = new Checker(build, each, policy, Tables.Rcu, variant.layout);
          const failure = checker.runSeeds(1, each.tags.includes("large") ? 200 : 20);
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
