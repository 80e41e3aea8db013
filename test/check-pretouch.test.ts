/** The entry touched before its table's lock is taken: it is, it changes nothing, and only while the table cannot be freed. */
import { describe, expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { explore } from "../src/check/explore.js";
import { Names } from "../src/check/names.js";
import { RandomWalk } from "../src/check/random.js";
import { scenario } from "../src/check/scenarios/index.js";
import { Layout, Policy, Pretouch, Tables } from "../src/core/abi/mman.js";
import { Step } from "../src/core/abi/step.js";
import { shippedBuild, shippedLayout } from "./support/check.js";
import { slowTest } from "./support/slow.js";

const build = shippedBuild();
const layout = Layout.Page;
const POLICIES = [Policy.MmapLock, Policy.Spf, Policy.VmaLock, Policy.Optimistic];
const KINDS = [Pretouch.Read, Pretouch.Own];

/** Accesses of leaf entries in two faults that are alone with their tables, as "load", "compare-and-swap", and of locks taken. */
function accesses(policy: Policy, tables: Tables, pretouch: Pretouch): string {
  const checker = new Checker(build, scenario("faults-apart"), policy, tables, layout, undefined, pretouch);
  expect(checker.run(new RandomWalk(1))).toBeUndefined();
  const names = new Names(checker.machine, shippedLayout());
  const { trace } = checker.scheduler;
  const all: string[] = [];
  for (let i = 0; i < trace.length; i++) {
    const { kind, address } = trace.eventAt(i);
    if (trace.laneAt(i) !== 0 || kind > Step.AtomicCmpxchg) continue;
    const { text } = names.of(address);
    if (/^pte /.test(text)) all.push(kind === Step.AtomicLoad ? "load" : "compare");
    if (/^table .*lock/.test(text) && kind === Step.AtomicCmpxchg) all.push("LOCK");
  }
  return all.join(" ");
}

describe.each([Tables.Rcu, Tables.Irq])("tables %i", (tables) => {
  test.each(POLICIES)("policy %i touches the entry right before the lock, and only where it is asked to", (policy) => {
    const none = accesses(policy, tables, Pretouch.None);
    expect(none).toMatch(/^load load LOCK load compare/);
    expect(accesses(policy, tables, Pretouch.Read)).toBe(none.replaceAll("LOCK", "load LOCK"));
    expect(accesses(policy, tables, Pretouch.Own)).toBe(none.replaceAll("LOCK", "compare LOCK"));
  });

  describe.each(KINDS)("pretouch %i", (pretouch) => {
    test("fault-munmap-one: no violation in any execution", () => holds("fault-munmap-one"));

    slowTest("slow: other races: no violation in any execution", { timeout: 180_000 }, () => {
      for (const name of ["fault-fault-page", "write-dontneed", "irq-walk"]) holds(name);
    });

    function holds(name: string): void {
      for (const policy of [Policy.Spf, Policy.Optimistic]) {
        const settings = { policy, tables, layout, pretouch, strategy: "exhaustive" } as const;
        const { reach, failure } = explore(build, scenario(name), settings);
        expect([name, reach, failure?.text]).toEqual([name, "complete", undefined]);
      }
    }
  });
});
