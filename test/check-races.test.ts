/**
 * The checker's scenarios on the core that ships, under each policy: random schedules, every one of which must keep the
 * structure whole, give explainable results, and give everything back.
 */
import { expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { SCENARIOS } from "../src/check/scenarios.js";
import { Policy } from "../src/core/abi/mman.js";
import { shippedBuild } from "./support/check.js";

const SEEDS = process.env.FAULTLINE_FULL ? 20_000 : 600;
const build = shippedBuild();

for (const policy of [Policy.MmapLock, Policy.Optimistic, Policy.Spf, Policy.VmaLock, Policy.VmaRefcount]) {
  for (const scenario of SCENARIOS) {
    test(`${scenario.name} under ${Policy[policy]}: ${scenario.about}`, () => {
      const checker = new Checker(build, scenario, policy);
      const failure = checker.runSeeds(1, SEEDS);
      expect(failure && `seed ${failure.seed}: ${failure.text}\n${failure.columns}`).toBeUndefined();
      expect(checker.executions).toBe(SEEDS);
      expect(checker.figures.switches).toBeGreaterThan(SEEDS);
      // The last operation of every execution ends at rest, and often others do.
      expect(checker.rests).toBeGreaterThanOrEqual(SEEDS);
    });
  }
}
