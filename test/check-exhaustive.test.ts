/**
 * The exhaustive search on the core that ships, held against random walks: whatever they run, it has run, and nothing twice.
 * Executions are compared by what they are up to the order of independent events (happens.ts: fingerprint).
 */
import { describe, expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import type { Event } from "../src/check/event.js";
import { Exhaustive } from "../src/check/exhaustive.js";
import { HappensBefore } from "../src/check/happens.js";
import type { Lane } from "../src/check/lane.js";
import { RandomWalk } from "../src/check/random.js";
import { scenario } from "../src/check/scenarios/index.js";
import { Layout, Policy, Tables } from "../src/core/abi/mman.js";
import { shippedBuild } from "./support/check.js";

const FULL = process.env.FAULTLINE_FULL === "1";
const SEEDS = FULL ? 5000 : 400;
const build = shippedBuild();

/** A random walk that keeps the order of what it does in `happens`. */
class ObservedWalk extends RandomWalk {
  readonly #happens: HappensBefore;

  constructor(seed: number, happens: HappensBefore) {
    super(seed);
    this.#happens = happens;
    happens.cut(0);
  }

  performed(lane: Lane, event: Event, wrote: boolean, before: number, alone: boolean): void {
    this.#happens.add(lane, event, wrote, before, alone, () => {});
  }
}

function exhaust(checker: Checker): { executions: number; found: Set<bigint> } {
  const search = new Exhaustive(checker.system);
  const found = new Set<bigint>();
  let executions = 0;
  do {
    const failure = checker.run(search);
    expect(failure && `${failure.text}\n${failure.columns}`).toBeUndefined();
    if (checker.scheduler.abandoned) continue;
    executions++;
    found.add(search.happens.fingerprint());
  } while (search.more());
  return { executions, found };
}

const CASES: readonly [string, Policy, Tables][] = [
  ["fault-munmap-one", Policy.Optimistic, Tables.Rcu],
  ["fault-munmap-one", Policy.Optimistic, Tables.Irq],
  ["fault-munmap-one", Policy.Spf, Tables.Rcu],
  ["fault-munmap-one", Policy.VmaLock, Tables.Rcu],
  ["fault-mprotect-one", Policy.Optimistic, Tables.Rcu],
  ["parent-stays", Policy.Optimistic, Tables.Rcu],
  ["write-dontneed", Policy.Optimistic, Tables.Irq],
  ["leave-shootdown", Policy.Optimistic, Tables.Rcu],
  ["remote-munmap", Policy.Optimistic, Tables.Rcu],
];
const LONG: readonly [string, Policy, Tables][] = [
  ["fault-mprotect", Policy.Optimistic, Tables.Rcu],
  ["munmap-twice", Policy.MmapLock, Tables.Rcu],
  ["sleep-shootdown", Policy.Optimistic, Tables.Rcu],
  ["parent-goes", Policy.VmaRefcount, Tables.Rcu],
  ["irq-walk", Policy.Optimistic, Tables.Irq],
  ["cross-page", Policy.Spf, Tables.Rcu],
];

describe("every random execution is one that the search has run; none is run twice", () => {
  test.each([...CASES, ...(FULL ? LONG : [])])(
    "%s, policy %i, tables %i",
    { timeout: 600_000 },
    (name, policy, tables) => {
      const { executions, found } = exhaust(new Checker(build, scenario(name), policy, tables, Layout.Page));
      expect(executions).toBe(found.size);
      const checker = new Checker(build, scenario(name), policy, tables, Layout.Page);
      const happens = new HappensBefore(checker.system.memoryBytes, checker.system.lanes);
      const drawn = new Set<bigint>();
      for (let seed = 1; seed <= SEEDS; seed++) {
        expect(checker.run(new ObservedWalk(seed, happens), seed)).toBeUndefined();
        drawn.add(happens.fingerprint());
      }
      expect([...drawn].filter((fingerprint) => !found.has(fingerprint))).toEqual([]);
      expect(drawn.size).toBeGreaterThan(1);
    },
  );
});

test("two faults on two tables are independent: one execution is all", () => {
  const { executions } = exhaust(new Checker(build, scenario("faults-apart"), Policy.Optimistic));
  expect(executions).toBe(1);
});
