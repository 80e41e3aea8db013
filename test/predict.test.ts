import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadMachine, machineNames } from "../src/cli/predict/machines.js";
import { loadPublished, validate, validationJobs } from "../src/cli/predict/validate.js";
import { Pretouch } from "../src/core/abi/mman.js";
import { type Machine, ModelError, parseMachine, withValues } from "../src/predict/machine.js";
import { type Comparison, verdictOf } from "../src/predict/published.js";
import { type Outcome, type Request, simulate, softwareOf } from "../src/predict/run.js";
import { distances, places } from "../src/predict/topology.js";
import { WORKLOADS, workloadOf } from "../src/predict/workloads/index.js";
import { build, pft, ROOT, run, skylake } from "./support/predict.js";
import { slowTest } from "./support/slow.js";

describe("a run", { timeout: 180_000 }, () => {
  test("is a function of its inputs and its seed", () => {
    const contended = { policy: "mmap-lock", workload: workloadOf("writers")!, operations: 60 };
    expect(run(contended)).toEqual(run(contended));
    expect(run({ ...contended, seed: 2 })).not.toEqual(run(contended));
  });

  test("of one thread under mmapLock takes what the machine file says a fault takes", () => {
    const software = softwareOf(build, skylake, pft);
    const one: Request = {
      machine: skylake,
      workload: pft,
      cpus: 1,
      policy: "mmap-lock",
      tables: "rcu",
      layout: "page",
      seed: 5,
      operations: 1500,
    };
    const { rate } = simulate(build, one, software);
    expect(1e9 / rate / skylake.constants.fault.value).toBeCloseTo(1, 1);
  });

  test("puts all of the threads' time somewhere", () => {
    const { spent } = run({ policy: "mmap-lock" });
    expect(Object.values(spent).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(spent.lockWait).toBeGreaterThan(0.01);
  });

  slowTest("slow: may be long: 130,000 operations", () => {
    const { rate } = run({ workload: workloadOf("tlb_flush2")!, cpus: 1, operations: 130_000 });
    expect(rate).toBeGreaterThan(1000);
  });

  slowTest("slow: has up to 1,024 threads, and each of them gets on", () => {
    const machine = loadMachine(ROOT, "superdome-1024");
    expect(machine.cpus).toBe(1024);
    const { operations, faults, spent } = run({ machine, cpus: 1024, operations: 20 });
    expect(operations).toBe(1024 * 20);
    expect(faults.count).toBe(1024 * 20);
    expect(Object.values(spent).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
  });

  test("cannot have more threads than the machine has CPUs", () => {
    expect(() => run({ cpus: 113 })).toThrow("skylake-112: 113 CPUs; it has 112");
  });

  test.each(WORKLOADS.map(({ name }) => name))("of %s ends under every policy and protection", (name) => {
    const workload = workloadOf(name)!;
    for (const [policy, tables] of [
      ["mmap-lock", "rcu"],
      ["spf", "irq"],
      ["vma-lock", "irq"],
      ["vma-refcount", "rcu"],
      ["optimistic", "irq"],
    ]) {
      expect(run({ workload, policy, tables, cpus: 5, operations: 40 }).rate).toBeGreaterThan(1000);
    }
  });
});

describe("what the model says", { timeout: 180_000 }, () => {
  test("a lock that everybody takes does not scale, optimistic faults do", () => {
    const gain = (policy: string) => run({ policy, cpus: 32 }).rate / run({ policy, cpus: 1 }).rate;
    expect(gain("mmap-lock")).toBeLessThan(16);
    expect(gain("optimistic")).toBeGreaterThan(20);
  });

  test("a sequence count in mmapLock's line takes from spf what the prefetch of that line makes of it", () => {
    const spf = (machine: Machine) => run({ machine, policy: "spf", cpus: 48 }).rate;
    const apart = spf(withValues(skylake, { sequenceBesideLock: 0 }));
    const noPrefetch = spf(withValues(skylake, { prefetchLock: 0 }));
    expect(apart / spf(skylake)).toBeGreaterThan(1.3);
    expect(noPrefetch / spf(skylake)).toBeGreaterThan(1.3);
  });

  test("flushes by broadcast interrupt nobody; by interrupts they do", () => {
    const workload = workloadOf("tlb_flush2")!;
    const shoot = (machine: string, tables = "rcu") =>
      run({ workload, machine: loadMachine(ROOT, machine), tables, cpus: 8, operations: 300 });
    expect(shoot("milan-72").ipis.count).toBeGreaterThan(100);
    expect(shoot("milan-72-invlpgb").ipis.count).toBe(0);
    // Tables alone: hardware tells nobody that a walk with interrupts off must have ended.
    expect(shoot("milan-72-invlpgb", "irq").ipis.count).toBeGreaterThan(0);
  });

  test("the entry touched before the lock: owned it is not missed under it; read it is, for the store must own it", () => {
    const missed = (pretouch: Pretouch) =>
      run({ workload: workloadOf("pft_shared")!, cpus: 8, operations: 200, pretouch }).spent.missLocked;
    const [none, read, own] = [Pretouch.None, Pretouch.Read, Pretouch.Own].map(missed);
    expect(none).toBeGreaterThan(2 * own);
    expect(read).toBeGreaterThan(1.5 * own);
  });

  test("a file's page is copied under a private mapping, and nothing is under a shared one", () => {
    const slower = (name: string) => {
      const workload = workloadOf(name)!;
      const took = (copy: number) => run({ workload, cpus: 1, machine: withValues(skylake, { copy }) }).faults.p50;
      return took(5000) - took(0);
    };
    expect(slower("page_fault2")).toBeGreaterThan(4900);
    expect(slower("page_fault3")).toBe(0);
  });

  test("a shared file's write is not on the patchset's list: spf then takes mmapLock, other speculation does not", () => {
    const shared = (policy: string) => run({ policy, workload: workloadOf("page_fault3")!, cpus: 32, operations: 200 });
    expect(shared("optimistic").rate / shared("spf").rate).toBeGreaterThan(1.5);
    expect(shared("optimistic").rate / shared("mmap-lock").rate).toBeGreaterThan(1.5);
  });

  test("a page that was there is neither counted nor listed again: page_fault3 has no LRU lock to wait for", () => {
    const held = (name: string, lruHold: number) =>
      run({ workload: workloadOf(name)!, cpus: 1, machine: withValues(skylake, { lruHold }) }).rate;
    expect(held("page_fault2", 2000) / held("page_fault2", 0)).toBeLessThan(0.7);
    expect(held("page_fault3", 2000)).toBe(held("page_fault3", 0));
  });

  test("a fault touches as many lines with tables under RCU as with interrupts off", () => {
    const seeds = [1, 2, 3];
    const lines = (tables: string, what: "linesTouched" | "linesWritten") =>
      seeds.reduce((sum, seed) => sum + run({ tables, policy: "spf", operations: 320, seed }).footprint[what], 0);
    for (const what of ["linesTouched", "linesWritten"] as const) {
      expect(Math.abs(lines("rcu", what) - lines("irq", what)) / seeds.length).toBeLessThan(0.5);
    }
  });

  test("walks that need interrupts off turn them off: more often, and for longer in all", () => {
    const off = (tables: string) => run({ tables, policy: "spf" }).irqOff;
    expect(off("irq").count).toBeGreaterThan(1.5 * off("rcu").count);
    expect(off("irq").count * off("irq").p50).toBeGreaterThan(1.5 * off("rcu").count * off("rcu").p50);
  });
});

describe("a machine", { timeout: 180_000 }, () => {
  test.each(machineNames(ROOT))("%s has a value with a source, or bounds to sweep, for each constant", (name) => {
    for (const [constant, { value, source, sweep }] of Object.entries(loadMachine(ROOT, name).constants)) {
      if (source !== undefined) continue;
      expect([constant, sweep![0] <= value, value <= sweep![1]]).toEqual([constant, true, true]);
    }
  });

  const text = readFileSync(join(ROOT, "src/predict/machines/skylake-112.json"), "utf8");
  const common = skylake.constants;
  const TOO_MANY = { sockets: 41, complexesPerSocket: 5, coresPerComplex: 5, threadsPerCore: 1 };
  const broken = (path: string, value: unknown) => () => {
    const file = JSON.parse(text);
    const keys = path.split(".");
    const last = keys.pop()!;
    keys.reduce((at, key) => at[key], file)[last] = value;
    return parseMachine(JSON.stringify(file), "m.json", common);
  };

  test.each([
    ["an unknown key", "colour", 1, 'm.json: unknown key "colour"; allowed: name,'],
    ["an unknown constant", "constants.magic", {}, 'm.json: constants: unknown key "magic"; allowed:'],
    ["a negative cost", "constants.remote.value", -3, "m.json: constants.remote.value: -3; allowed: 0 or more"],
    ["a wrong unit", "constants.remote.unit", "s", 'm.json: constants.remote.unit: "ns" is wanted'],
    ["no source", "constants.remote.source", undefined, "m.json: constants.remote.source: a text is wanted"],
    ["half a socket", "topology.sockets", 0.5, "m.json: topology.sockets: a whole number from 1 is wanted"],
    ["too many CPUs", "topology", TOO_MANY, "m.json: topology: 1025 CPUs; the core's masks hold 1024"],
  ])("with %s is refused by one line", (_, path, value, message) => {
    expect(broken(path, value)).toThrow(ModelError);
    expect(broken(path, value)).toThrow(message);
  });

  test("keeps few threads in one socket, and spreads many", () => {
    const sockets = (n: number) => new Set(places(skylake.topology, n, 0.25).map(({ socket }) => socket)).size;
    expect([sockets(13), sockets(14)]).toEqual([1, 2]);
    const all = places(skylake.topology, 112, 0.25);
    expect(new Set(all.map(({ core }) => core)).size).toBe(56);
    // The first 56 threads have a core each; a sibling is nearer than any other.
    expect(new Set(all.slice(0, 56).map(({ core }) => core)).size).toBe(56);
    expect([...distances(all.slice(0, 57)).slice(0, 57)].filter((d) => d === 1)).toHaveLength(1);
  });
});

describe("validation", { timeout: 180_000 }, () => {
  const row = (published: number, predicted: number, what: Comparison["what"], policy = "spf"): Comparison => ({
    table: "t",
    policy,
    cpus: 4,
    what,
    published,
    predicted,
  });

  test("the verdict: the median of the rates' errors, and a sign right or wrong for each gain", () => {
    const rows = [
      row(4, 5, "× base, first row"),
      row(2, 1, "× base, first row", "a"),
      row(10, 11, "× base, first row", "b"),
      row(1.2, 1.1, "× base, same CPUs"),
      row(0.9, 1.1, "× base, same CPUs", "a"),
      row(1.01, 0.99, "× base, same CPUs", "b"),
    ];
    expect(verdictOf(rows)).toEqual({ medianError: 0.25, rows: 3, signsRight: 2, signs: 3 });
  });

  test("every published table names a machine, a workload and policies that exist, and compares each of its figures", () => {
    const tables = loadPublished(ROOT);
    const jobs = validationJobs(ROOT, tables, 1, 100);
    for (const job of jobs) expect(workloadOf(job.workload)).toBeDefined();
    const rate = 1e6;
    const fake = jobs.map((): Outcome => ({ ...run({ cpus: 1, operations: 20 }), rate }));
    const { rows } = validate(tables, jobs, fake);
    expect(rows.every(({ predicted }) => predicted === 1)).toBe(true);
    expect(new Set(rows.map(({ table }) => table))).toEqual(new Set(tables.map(({ name }) => name)));
  });
});
