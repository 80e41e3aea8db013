/**
 * The told build does what the core that ships does: every store, atomic access and mark of random executions, one for one,
 * and each step's place is found, loads that were merged or moved included.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { type CallSite, nameCallers } from "../../src/check/callers.js";
import { Checker } from "../../src/check/checker.js";
import { Mark, type Site } from "../../src/check/event.js";
import { RandomWalk } from "../../src/check/random.js";
import { SCENARIOS } from "../../src/check/scenarios/index.js";
import { runsOf } from "../../src/check/schedule.js";
import { story } from "../../src/check/story.js";
import { Policy } from "../../src/core/abi/mman.js";
import { buildTold } from "../../tools/build-twin.mjs";
import { shippedBuild, shippedLayout } from "../support/check.js";

describe.skipIf(process.env.FAULTLINE_FULL !== "1")("the told build", () => {
  const build = shippedBuild();
  let told: { hooked: WebAssembly.Module; sites: Site[] };
  let calls: CallSite[];

  beforeAll(async () => {
    const linked = await buildTold([]);
    told = { hooked: new WebAssembly.Module(linked.told), sites: linked.sites };
    calls = linked.calls;
  }, 180_000);

  for (const policy of [Policy.MmapLock, Policy.Optimistic, Policy.Spf, Policy.VmaLock, Policy.VmaRefcount]) {
    for (const scenario of SCENARIOS) {
      test(`${scenario.name} under ${Policy[policy]}: every step has its callers`, { timeout: 180_000 }, () => {
        for (const seed of policy === Policy.Optimistic ? [1, 5, 9] : [1]) {
          const checker = new Checker(build, scenario, policy);
          expect(checker.run(new RandomWalk(seed))).toBeUndefined();
          const tale = story(new Checker(build, scenario, policy), runsOf(checker.scheduler.trace), shippedLayout());
          const edges = tale.steps.filter(({ kind }) => kind === Mark.Begin).length;
          const placed = nameCallers(tale, new Checker({ ...build, ...told }, scenario, policy), calls);
          expect(placed + edges).toBe(tale.steps.length);
        }
      });
    }
  }
});
