/** Which walker may be paired with which freer: all nine pairings, and what a reader is, on one build that holds them all. */
import { beforeAll, describe, expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import type { CoreBuild } from "../src/check/hooked.js";
import { FREERS, isSafe, MIXTURE_PATCHES, mixtureTables, WALKERS } from "../src/check/mixtures.js";
import { scenario } from "../src/check/scenarios/index.js";
import { runStalls } from "../src/check/stall.js";
import { Policy } from "../src/core/abi/mman.js";
import { buildTwin } from "../tools/build-twin.mjs";
import { buildOf } from "./support/check.js";

const WALKER = 0;
let build: CoreBuild;
beforeAll(async () => {
  build = buildOf(await buildTwin(MIXTURE_PATCHES));
}, 180_000);

const PAIRS = WALKERS.flatMap((walker) => FREERS.map((freer) => ({ walker, freer })));
const READER = [true, false];

/** What a reader is matters to grace periods only. */
const CASES = PAIRS.flatMap((pair) =>
  READER.filter((reader) => reader || pair.freer === "rcu").map((irqIsReader) => ({ ...pair, irqIsReader })),
);

/** Under spf the walk's section is all there is; the other policies are among the long tests. */
const FULL = process.env.FAULTLINE_FULL === "1";

describe.each([Policy.Spf, ...(FULL ? [Policy.Optimistic, Policy.MmapLock] : [])])("policy %i", (policy) => {
  test.each(CASES)("walker $walker, freer $freer; interrupts off a reader: $irqIsReader", (mixture) => {
    const { walker, freer, irqIsReader } = mixture;
    const checker = new Checker(build, scenario("walk-grace-period"), policy, mixtureTables(walker, freer));
    checker.scheduler.irqIsReader = irqIsReader;
    const failure = runStalls(checker, [WALKER]);
    expect(failure?.rule).toBe(isSafe(policy, walker, freer, irqIsReader) ? undefined : "freed");
  });
});

test("what is safe under spf, where the walk's section is all there is", () => {
  const safe = READER.map((reader) =>
    PAIRS.filter(({ walker, freer }) => isSafe(Policy.Spf, walker, freer, reader)).map((p) => `${p.walker} ${p.freer}`),
  );
  expect(safe).toEqual([
    ["irq ipi", "irq rcu", "rcu rcu"],
    ["irq ipi", "rcu rcu"],
  ]);
});
