/** The scenarios themselves: named, listed, each with a twin; what they are to lead into, they lead into. */
import { describe, expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { Mark } from "../src/check/event.js";
import type { Lane } from "../src/check/lane.js";
import type { Operation } from "../src/check/operations.js";
import { SCENARIOS, scenario } from "../src/check/scenarios/index.js";
import { TWINS } from "../src/check/twins/index.js";
import { Policy, Tables } from "../src/core/abi/mman.js";
import { Stat } from "../src/core/abi/stat.js";
import { shippedBuild } from "./support/check.js";

const build = shippedBuild();
const names = SCENARIOS.map(({ name }) => name);

test("names are of one form, and each is one's own", () => {
  for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  expect(new Set(names).size).toBe(names.length);
  const twins = TWINS.map(({ name }) => name);
  expect(new Set(twins).size).toBe(twins.length);
});

test("every scenario has a twin, or says why it has none", () => {
  const found = new Set(TWINS.map((twin) => twin.scenario));
  expect(SCENARIOS.filter(({ name, noTwin }) => found.has(name) === (noTwin !== undefined))).toEqual([]);
  for (const name of found) expect(names).toContain(name);
});

test("what is not marked large has few operations", () => {
  for (const { name, tags, actors } of SCENARIOS) {
    if (tags.includes("large")) continue;
    expect(actors.length, name).toBe(2);
    for (const operations of actors) expect(operations.length, name).toBeLessThanOrEqual(3);
  }
});

describe("a scenario that is to wait somewhere waits there", () => {
  const PER_CPU = 81920;
  const CPUS = 0x54000;
  const MMAP_LOCK = 0x1100;
  const COMPLETED = 0x1084;
  /** What a pause or a sleep at this address waits for. */
  const PLACES: Record<string, (address: number, checker: Checker) => boolean> = {
    "wait-mmap-lock": (address) => address === MMAP_LOCK,
    "wait-acknowledgement": (address) => (address - CPUS) % PER_CPU === 20,
    "wait-sleep": (address) => (address - CPUS) % PER_CPU === 0,
    "wait-grace-period": (address) => address === COMPLETED,
    "wait-table-lock": (address, { machine }) =>
      address < machine.firstFrame && address > MMAP_LOCK && address % 64 === 24,
    "wait-vma-readers": (address, { machine }) => address >= machine.firstFrame && address % 64 === 56,
  };
  const waiting = SCENARIOS.flatMap(({ name, tags }) =>
    tags.filter((tag) => tag.startsWith("wait-")).map((tag) => ({ name, tag })),
  );

  test.each(waiting)("$name: $tag", ({ name, tag }) => {
    const policy = tag === "wait-vma-readers" ? Policy.VmaLock : Policy.Optimistic;
    const checker = new Checker(build, scenario(name), policy, Tables.Rcu);
    let seed = 1;
    while (seed < 400 && !waitedAt(checker, PLACES[tag], seed)) seed++;
    expect(seed).toBeLessThan(400);
  });

  test("every wait that the checker drives is led into", () => {
    expect(new Set(waiting.map(({ tag }) => tag))).toEqual(new Set(Object.keys(PLACES)));
  });

  function waitedAt(checker: Checker, place: (address: number, checker: Checker) => boolean, seed: number): boolean {
    expect(checker.runSeed(seed)).toBeUndefined();
    const { trace } = checker.scheduler;
    for (let i = 0; i < trace.length; i++) {
      const { kind, address } = trace.eventAt(i);
      if ((kind === Mark.Pause || kind === Mark.Wake) && place(address, checker)) return true;
    }
    return false;
  }
});

test("rcu-overload: a grace period ends that nobody asked for", () => {
  const checker = new Checker(build, scenario("rcu-overload"), Policy.Optimistic);
  const { plain } = checker.machine;
  const before = plain.stat(Stat.GracePeriods);
  let ended = 0;
  checker.rested = () => {
    if (plain.stat(Stat.GracePeriods) > before) ended++;
  };
  expect(checker.runSeeds(1, 20)).toBeUndefined();
  expect(ended).toBeGreaterThan(0);
});

describe("memory runs out where a scenario says so", () => {
  const results = (name: string): Set<string> => {
    const seen = new Set<string>();
    const checker = new Checker(build, scenario(name), Policy.Optimistic);
    const ended = checker.ended.bind(checker);
    checker.ended = (lane: Lane, operation: Operation, result: number) => {
      seen.add(`${operation.text.split(" ")[0]} ${result < 0 ? result : "done"}`);
      ended(lane, operation, result);
    };
    expect(checker.runSeeds(1, 60)).toBeUndefined();
    return seen;
  };
  const OOM = "write -4101";

  test.each(["no-frame-for-parent", "no-frame-for-table", "no-frame-for-page"])("%s: no write is done", (name) => {
    expect(results(name)).toEqual(new Set([OOM]));
  });

  test("frames-for-one: both writes are done, whoever brought the page", () => {
    expect(results("frames-for-one")).toContain("write done");
  });

  test("no-frame-for-upgrade: done when the frame came back in time", () => {
    expect(results("no-frame-for-upgrade")).toEqual(new Set(["read done", OOM, "write done", "dontneed done"]));
  });

  test("no-record-for-split: both calls are refused", () => {
    expect(results("no-record-for-split")).toEqual(new Set(["unmap -12", "protect -12", OOM]));
  });

  test("no-record-for-map: the call is refused, and the stack does not grow", () => {
    expect(results("no-record-for-map")).toEqual(new Set(["map -12", "write -14"]));
  });
});
