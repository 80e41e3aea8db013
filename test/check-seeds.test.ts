import { expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { scenario } from "../src/check/scenarios/index.js";
import { Policy } from "../src/core/abi/mman.js";
import { shippedBuild } from "./support/check.js";

const build = shippedBuild();

function hashes(checker: Checker, seeds: readonly number[]): string[] {
  return seeds.map((seed) => {
    expect(checker.runSeed(seed)).toBeUndefined();
    return checker.scheduler.trace.hash;
  });
}

const SEEDS = Array.from({ length: 200 }, (_, i) => i + 1);

for (const name of ["fault-munmap-table", "three-mixed"]) {
  test(`${name}: the same seed gives the same trace, again and in a machine of its own`, () => {
    const checker = new Checker(build, scenario(name), Policy.Optimistic);
    const first = hashes(checker, SEEDS);
    expect(hashes(checker, SEEDS)).toEqual(first);
    expect(hashes(checker, [...SEEDS].reverse())).toEqual([...first].reverse());
    expect(hashes(new Checker(build, scenario(name), Policy.Optimistic), SEEDS)).toEqual(first);
  });

  test(`${name}: different seeds explore different traces`, () => {
    const checker = new Checker(build, scenario(name), Policy.Optimistic);
    expect(new Set(hashes(checker, SEEDS)).size).toBeGreaterThan(SEEDS.length * 0.8);
  });
}

test("a reset puts every byte back that an execution wrote", () => {
  const checker = new Checker(build, scenario("three-tables"), Policy.Optimistic);
  const owned = checker.machine.bytes.subarray(0, 2 << 20);
  const before = owned.slice();
  for (const seed of SEEDS) checker.runSeed(seed);
  expect(Buffer.compare(owned.slice(), before)).toBe(0);
});
