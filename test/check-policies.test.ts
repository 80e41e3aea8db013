/**
 * The policies really differ: one schedule, what each makes of it.
 *
 *   before   A  0123456789abcdef     one table, page 0 touched, so that everything a fault needs but the page is there
 *               AAAA                 the faulting actor writes page 2
 *            F  somewhere else       the other actor changes the map
 */
import { describe, expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import type { Lane } from "../src/check/lane.js";
import { map, PAGE, protect, write } from "../src/check/operations.js";
import type { Scenario } from "../src/check/scenario.js";
import type { Strategy } from "../src/check/strategy.js";
import { Counter } from "../src/core/abi/counter.js";
import { Policy } from "../src/core/abi/mman.js";
import { Stat } from "../src/core/abi/stat.js";
import { Step } from "../src/core/abi/step.js";
import { shippedBuild } from "./support/check.js";

const build = shippedBuild();
const A = 0x4000_0000;
const F = 0x5000_0000;
const RW = 3;
const READ = 1;
const CHANGER = 0;
const FAULTER = 1;

function scenario(change: Scenario["actors"][number]): Scenario {
  return {
    name: "policies",
    about: "a fault beside a change of the map",
    tags: [],
    before: [
      { at: A, pages: 1, prot: RW, state: "touched" },
      { at: A + PAGE, pages: 3, prot: RW },
    ],
    actors: [change, [write(A + 2 * PAGE, 7)]],
  };
}

/**
 * Runs `first` until `until` is true, then the others while any can go on; only then `first` again. Its CPU's interrupts
 * are one of the others: a stalled CPU still acknowledges.
 */
class Stall implements Strategy {
  readonly claim = "one schedule";
  #stalled = false;
  #over = false;

  constructor(
    readonly first: number,
    readonly until: (lane: Lane) => boolean,
  ) {}

  begin(): void {}

  choose(enabled: readonly Lane[]): Lane {
    const own = enabled.find((lane) => lane.id === this.first);
    const others = enabled.filter((lane) => lane.id !== this.first);
    if (own && !this.#stalled) this.#stalled = this.until(own);
    if (!this.#stalled || this.#over) return own ?? (others[0] as Lane);
    if (others[0]) return others[0];
    this.#over = true;
    return own as Lane;
  }
}

interface Seen {
  /** The other actor ended before the stalled one went on. */
  passed: boolean;
  counts: Record<string, number>;
}

const COUNTED = {
  locked: Counter.FaultsLocked,
  odd: Counter.SpfAbortOdd,
  seq1: Counter.SpfAbortPteMapLockSeq1,
  spfAborts: Counter.SpfAbort,
  vmaLocked: Counter.VmaLockSuccess,
  vmaAborts: Counter.VmaLockAbort,
  detached: Counter.RetryDetached,
  retries: Counter.OptimisticRetry,
  fallbacks: Counter.OptimisticFallback,
};

function run(
  policy: Policy,
  change: Scenario["actors"][number],
  first: number,
  until: (c: Checker, lane: Lane) => boolean,
) {
  const checker = new Checker(build, scenario(change), policy);
  const { plain } = checker.machine;
  const cpu = plain.cpuArea(FAULTER);
  const strategy = new Stall(first, (lane) => until(checker, lane));
  const ended = checker.ended.bind(checker);
  let doneOf: number | undefined;
  checker.ended = (lane, operation, result) => {
    if (!lane.actor) doneOf ??= lane.cpuIndex;
    ended(lane, operation, result);
  };
  // Counters are the CPU's own and put back with the memory: read them as the last operation ends.
  const counts: Record<string, number> = {};
  const before = Object.entries(COUNTED).map(([name, c]) => [name, Number(plain.counter(cpu, c))] as const);
  checker.rested = () => {
    for (const [name, was] of before) {
      counts[name] = Number(plain.counter(cpu, COUNTED[name as keyof typeof COUNTED])) - was;
    }
  };
  const failure = checker.run(strategy);
  expect(failure && `${failure.text}\n${failure.columns}`).toBeUndefined();
  const passed = doneOf !== first;
  return { passed, counts } satisfies Seen;
}

describe("a writer of mmapLock stands still inside its change", () => {
  const stalled = (policy: Policy): Seen =>
    run(policy, [map(F, 1, RW)], CHANGER, (checker) => (checker.machine.plain.stat(Stat.MapSequence) & 1) === 1);

  test("mmap-lock: the fault waits", () => {
    expect(stalled(Policy.MmapLock)).toMatchObject({ passed: false, counts: { locked: 1 } });
  });

  test("spf: the fault aborts, odd, and then waits", () => {
    expect(stalled(Policy.Spf)).toMatchObject({ passed: false, counts: { locked: 1, odd: 1, spfAborts: 1 } });
  });

  test.each([Policy.VmaLock, Policy.VmaRefcount])("vma-lock (%i): the fault is served", (policy) => {
    expect(stalled(policy)).toMatchObject({ passed: true, counts: { locked: 0, vmaLocked: 1, vmaAborts: 0 } });
  });

  test("optimistic: the fault is served", () => {
    expect(stalled(Policy.Optimistic)).toMatchObject({ passed: true, counts: { locked: 0, retries: 0 } });
  });
});

/** The fault stands where it zeroes its new page: looked up and walked, not yet committed. */
const zeroing = (_checker: Checker, lane: Lane): boolean => lane.event.kind === Step.Fill;

describe("something unrelated is mapped between lookup and commit", () => {
  const beside = (policy: Policy): Seen => run(policy, [map(F, 1, RW)], FAULTER, zeroing);

  test("mmap-lock: the mapping waits for the fault", () => {
    expect(beside(Policy.MmapLock)).toMatchObject({ passed: false, counts: { locked: 1 } });
  });

  test("spf alone aborts", () => {
    expect(beside(Policy.Spf)).toMatchObject({ passed: true, counts: { locked: 1, seq1: 1, spfAborts: 1 } });
  });

  test.each([Policy.VmaLock, Policy.VmaRefcount])("vma-lock (%i): both go on", (policy) => {
    expect(beside(policy)).toMatchObject({ passed: true, counts: { locked: 0, vmaLocked: 1, vmaAborts: 0 } });
  });

  test("optimistic: both go on", () => {
    expect(beside(Policy.Optimistic)).toMatchObject({ passed: true, counts: { locked: 0, retries: 0, fallbacks: 0 } });
  });
});

describe("the fault's own VMA is split between lookup and commit", () => {
  const split = (policy: Policy): Seen => run(policy, [protect(A, 1, READ)], FAULTER, zeroing);

  test("spf aborts and is served under mmapLock", () => {
    expect(split(Policy.Spf)).toMatchObject({ passed: true, counts: { locked: 1, seq1: 1, spfAborts: 1 } });
  });

  test.each([Policy.VmaLock, Policy.VmaRefcount])("vma-lock (%i): the split waits for the fault", (policy) => {
    expect(split(policy)).toMatchObject({ passed: false, counts: { locked: 0, vmaLocked: 1 } });
  });

  test("optimistic looks up again, once, and is served without mmapLock", () => {
    expect(split(Policy.Optimistic)).toMatchObject({
      passed: true,
      counts: { locked: 0, detached: 1, retries: 1, fallbacks: 0 },
    });
  });
});
