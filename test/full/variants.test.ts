/** Cores that are changed and yet right: every scenario holds on them. */
import { describe, expect, test } from "vitest";
import { Checker } from "../../src/check/checker.js";
import { SCENARIOS } from "../../src/check/scenarios/index.js";
import { VARIANTS } from "../../src/check/twins/index.js";
import { Policy, Tables } from "../../src/core/abi/mman.js";
import { buildTwin } from "../../tools/build-twin.mjs";
import { buildOf } from "../support/check.js";

describe.skipIf(process.env.FAULTLINE_FULL !== "1")("variants", () => {
  for (const variant of VARIANTS) {
    test(`${variant.name} holds: ${variant.about}`, { timeout: 360_000 }, async () => {
      const build = buildOf(await buildTwin(variant.patches));
      for (const policy of variant.policies ?? [Policy.MmapLock, Policy.Optimistic]) {
        for (const each of SCENARIOS) {
          const checker = new Checker(build, each, policy, Tables.Rcu, variant.layout);
          const failure = checker.runSeeds(1, 20);
          expect(failure && `${each.name}, seed ${failure.seed}: ${failure.text}\n${failure.columns}`).toBeUndefined();
        }
      }
    });
  }
});
