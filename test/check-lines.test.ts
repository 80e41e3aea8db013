/** What a fault writes that another CPU's fault writes too: the cost of each policy, in lines of memory. */
import { describe, expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { linesWritten, sharedLines } from "../src/check/lines.js";
import { scenario } from "../src/check/scenarios/index.js";
import { Policy, Tables } from "../src/core/abi/mman.js";
import { buildTwin } from "../tools/build-twin.mjs";
import { buildOf, shippedBuild } from "./support/check.js";

const build = shippedBuild();
const MMAP_LOCK = 0x1100;
/** A line of the header page that holds nothing. */
const UNUSED = 0x1f00;
const SEEDS = 20;

function shared(policy: Policy, tables: Tables, core = build): { lines: number[]; written: number } {
  const checker = new Checker(core, scenario("faults-apart"), policy, tables);
  const lines = new Set<number>();
  let written = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    expect(checker.runSeed(seed)).toBeUndefined();
    const each = linesWritten(checker.scheduler.trace, checker.scheduler.lanes);
    written = Math.max(written, ...each.map((own) => own.size));
    for (const line of sharedLines(each)) lines.add(line);
  }
  return { lines: [...lines], written };
}

describe("two faults on two tables", () => {
  for (const tables of [Tables.Rcu, Tables.Irq]) {
    for (const policy of [Policy.Optimistic, Policy.Spf, Policy.VmaLock, Policy.VmaRefcount]) {
      test(`${Policy[policy]}, ${Tables[tables]}: share no line that they write`, () => {
        const { lines, written } = shared(policy, tables);
        expect(lines).toEqual([]);
        // The page's 64 lines, its entry, the table's descriptor, the frame's, the CPU's own area.
        expect(written).toBeGreaterThan(68);
      });
    }

    test(`MmapLock, ${Tables[tables]}: share mmapLock's line`, () => {
      expect(shared(Policy.MmapLock, tables).lines).toEqual([MMAP_LOCK]);
    });
  }
});

test("a counter that the CPUs share is seen", { timeout: 180_000 }, async () => {
  const patch = {
    file: "mm/faultOptimistic.ts",
    line: "count(cpu, Counter.OptimisticAttempt);",
    replacement: `atomic.add<u64>(<usize>${UNUSED}, 1);`,
  };
  const { lines } = shared(Policy.Optimistic, Tables.Rcu, buildOf(await buildTwin([patch])));
  expect(lines).toEqual([UNUSED]);
});
