/**
 * The checker's scenarios on the core that ships, under each policy, protection and layout: random schedules, every one of which
 * must keep the structure whole, give explainable results, and give everything back.
 */
import { expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import type { Scenario } from "../src/check/scenario.js";
import { SCENARIOS } from "../src/check/scenarios/index.js";
import { Layout, Policy, Tables } from "../src/core/abi/mman.js";
import { shippedBuild } from "./support/check.js";

const FULL = process.env.FAULTLINE_FULL === "1";
const build = shippedBuild();
type Setting = readonly [Policy, Tables, Layout];
const POLICIES = [Policy.MmapLock, Policy.Optimistic, Policy.Spf, Policy.VmaLock, Policy.VmaRefcount];
const BOTH = [Tables.Rcu, Tables.Irq];
const PAGE = POLICIES.flatMap((policy) => BOTH.map((tables): Setting => [policy, tables, Layout.Page]));
/** Tables that others share a block with: where a policy makes a difference, it is in the walk. */
const BLOCKS = [Layout.Halves, Layout.Fragments].flatMap((layout) =>
  BOTH.map((tables): Setting => [Policy.Optimistic, tables, layout]),
);
/** Each policy, protection and layout once or more, for every other scenario. The rest of the product is among the long tests. */
const SOME = [...PAGE.filter(([policy, tables]) => policy % 2 === tables || policy < 3), ...BLOCKS.slice(1, 3)];

/** Small scenarios have few interleavings, and exhaustive exploration for all of them. */
function seedsFor({ tags }: Scenario): number {
  if (FULL) return 3000;
  return tags.includes("large") && !tags.includes("slow") ? 60 : 20;
}

for (const [i, scenario] of SCENARIOS.entries()) {
  const some = SOME.filter((_, k) => (i + k) % 2 === 0);
  const settings = FULL ? [...PAGE, ...BLOCKS] : some;
  for (const [policy, tables, layout] of settings) {
    const setting = `${Policy[policy]}, ${Tables[tables]}, ${Layout[layout]}`;
    test(`${scenario.name} under ${setting}: ${scenario.about}`, { timeout: 180_000 }, () => {
      const seeds = seedsFor(scenario);
      const checker = new Checker(build, scenario, policy, tables, layout);
      const failure = checker.runSeeds(1, seeds);
      expect(failure && `seed ${failure.seed}: ${failure.text}\n${failure.columns}`).toBeUndefined();
      expect(checker.executions).toBe(seeds);
      expect(checker.figures.switches).toBeGreaterThan(seeds);
      // The last operation of every execution ends at rest, and often others do.
      expect(checker.rests).toBeGreaterThanOrEqual(seeds);
    });
  }
}
