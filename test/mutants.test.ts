/** The mutants of the core: what the rules make of a piece of source, and how many are built at once. */
import { describe, expect, test } from "vitest";
import { oneAtATime } from "../src/check/mutants/oneAtATime.js";
import { Layout, Policy, Tables } from "../src/core/abi/mman.js";
import { allMutants, mutantsOf, sample, switched } from "../tools/mutants.mjs";
import { batchesOf } from "../tools/mutation-build.mjs";
import { shippedBuild } from "./support/check.js";

function told(body: string): string[] {
  const text = `function f(cpu: usize, at: usize): u32 { ${body} }`;
  return mutantsOf("mm/x.ts", text).map(({ rule, before, after }) => `${rule}: ${before} → ${after}`);
}

describe("rules", () => {
  test("a check is made true, made false, and loses an operand", () => {
    const check = "load<u32>(at) != 0 && cpu != 0";
    expect(told(`if (${check}) return 1;`).sort()).toEqual([
      `condition false: ${check} → false`,
      `condition true: ${check} → true`,
      `operand dropped: ${check} → cpu != 0`,
      `operand dropped: ${check} → load<u32>(at) != 0`,
    ]);
  });

  test("a lock's section is emptied, its calls dropped, what it does swapped with its end", () => {
    expect(told("lock(cpu, at); store<u32>(at, 1); unlock(at);")).toEqual([
      "call dropped: lock(cpu, at) → ",
      "unlocked early: ; store<u32>(at, 1); unlock(at) → ; unlock(at); store<u32>(at, 1); ",
      "memory instruction dropped: store<u32>(at, 1) → ",
      "pair swapped: store<u32>(at, 1); unlock(at) → unlock(at); store<u32>(at, 1)",
      "call dropped: unlock(at) → ",
    ]);
  });

  test("an atomic instruction is made plain, or done in two", () => {
    expect(told("return atomic.load<u32>(at, 8);")).toEqual([
      "atomic made plain: atomic.load<u32>(at, 8) → load<u32>(at, 8)",
    ]);
    expect(told("return atomic.cmpxchg<u32>(at, 0, cpu, 4);")).toEqual([
      "atomic done in two: atomic.cmpxchg<u32>(at, 0, cpu, 4) → cmpxchgInTwo<u32>(at + 4, 0, cpu)",
    ]);
  });

  test("statistics and self checks are no candidates", () => {
    expect(told("count(cpu, 1); if (at == 0) bug(cpu, 1); if (at == 1) { countBy(cpu, 1, 2); }")).toEqual([]);
  });
});

test("numbers are those of the order of files and places; a sample is spread over them", () => {
  const all = allMutants();
  expect(all.length).toBeGreaterThan(2000);
  expect(all.map(({ number }) => number)).toEqual(all.map((_, i) => i));
  expect(allMutants()).toEqual(all);
  const some = sample(all, 240);
  expect(new Set(some.map(({ number }) => number)).size).toBe(240);
  expect(new Set(some.map(({ file }) => file)).size).toBeGreaterThan(40);
  expect(sample(all, 240, 2)).not.toEqual(some);
});

test("no two mutants of a batch overlap, and each is in its file's source", () => {
  const some = sample(allMutants(), 240);
  const batches = batchesOf(some);
  expect(batches.flat().length).toBe(240);
  const overlapping = batches.flatMap((batch) =>
    batch.filter((a) => batch.some((b) => a !== b && a.file === b.file && a.start < b.end && b.start < a.end)),
  );
  expect(overlapping).toEqual([]);
  const [first] = batches;
  const text = switched(first[0].file, [first[0]]);
  expect(text).toContain(`MUTANT == ${first[0].number}`);
});

test("a core that is right agrees with the model one call at a time, under every setting", () => {
  const build = shippedBuild();
  for (const policy of [Policy.MmapLock, Policy.Optimistic, Policy.Spf, Policy.VmaLock, Policy.VmaRefcount]) {
    for (const tables of [Tables.Rcu, Tables.Irq]) {
      for (const layout of [Layout.Page, Layout.Halves, Layout.Fragments]) {
        oneAtATime(build, policy, tables, layout, 1);
      }
    }
  }
});
