/**
 * The checker's scenarios on the core that ships, under each policy, protection and layout: random schedules, every one of which
 * must keep the structure whole, give explainable results, and give everything back.
 */
import { expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { SCENARIOS } from "../src/check/scenarios/index.js";
import { Layout, Policy, Tables } from "../src/core/abi/mman.js";
import { shippedBuild } from "./support/check.js";

const SEEDS = process.env.FAULTLINE_FULL ? 20_000 : 200;
const build = shippedBuild();
const POLICIES = [Policy.MmapLock, Policy.Optimistic, Policy.Spf, Policy.VmaLock, Policy.VmaRefcount];
const PAGE = POLICIES.flatMap((policy) =>
  [Tables.Rcu, Tables.Irq].map((tables) => [policy, tables, Layout.Page] as const),
);
/** Tables that others share a block with: where a policy makes a difference, it is in the walk. */
const BLOCKS = [Layout.Halves, Layout.Fragments].flatMap((layout) =>
  [Tables.Rcu, Tables.Irq].map((tables) => [Policy.Optimistic, tables, layout] as const),
);

for (const [policy, tables, layout] of [...PAGE, ...BLOCKS]) {
  const setting = `${Policy[policy]}, ${Tables[tables]}, ${Layout[layout]}`;
  for (const scenario of SCENARIOS) {
    test(`${scenario.name} under ${setting}: ${scenario.about}`, {
      timeout: 60_000,
    }, () => {
      const checker = new Checker(build, scenario, policy, tables, layout);
      const failure = checker.runSeeds(1, SEEDS);
      expect(failure && `seed ${failure.seed}: ${failure.text}\n${failure.columns}`).toBeUndefined();
      expect(checker.executions).toBe(SEEDS);
      expect(checker.figures.switches).toBeGreaterThan(SEEDS);
      // The last operation of every execution ends at rest, and often others do.
      expect(checker.rests).toBeGreaterThanOrEqual(SEEDS);
    });
  }
}
