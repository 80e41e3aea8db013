/** What Linux adds to a fault or an unmapping, and who runs beside whom: each constant does what it says. */
import { describe, expect, test } from "vitest";
import { loadMachine } from "../src/cli/predict/machines.js";
import { Load } from "../src/predict/load.js";
import { type Machine, valuesOf, withValues } from "../src/predict/machine.js";
import { Processor } from "../src/predict/processor.js";
import { places } from "../src/predict/topology.js";
import { workloadOf } from "../src/predict/workloads/index.js";
import { ROOT, run, skylake } from "./support/predict.js";
import { slowTest } from "./support/slow.js";

const iceLake = loadMachine(ROOT, "icelake-8336c-128");
const milan = loadMachine(ROOT, "milan-72-invlpgb");

describe("threads beside each other", () => {
  const { topology } = skylake;
  const values = valuesOf(withValues(skylake, { siblingSlowdown: 1.6, allCoreSlowdown: 1.3 }));
  const loaded = (n: number) => {
    const at = places(topology, n, 0);
    const cpus = at.map(({ socket }, i) => new Processor(i, 0, socket));
    return { cpus, load: new Load(values, topology, at, cpus) };
  };

  test("are slowed by the clock of a busy socket, and by a sibling", () => {
    expect(loaded(56).cpus[0].slow).toBeCloseTo(1.3);
    expect(loaded(112).cpus[0].slow).toBeCloseTo(1.3 * 1.6);
    expect(loaded(2).cpus[0].slow).toBeCloseTo(1 + 0.3 / 28);
  });

  test("one that ends leaves its core to its sibling", () => {
    const { cpus, load } = loaded(112);
    load.ended(cpus[0]);
    expect(cpus.filter(({ slow }) => slow < 1.5).map(({ index }) => index)).toEqual([56]);
  });

  test("a core that has none left takes one of two that share a core, of the same socket", () => {
    const { cpus, load } = loaded(60);
    expect(cpus.filter(({ slow }) => slow > 1.5)).toHaveLength(8);
    load.ended(cpus[20]);
    expect(cpus.filter(({ slow }) => slow > 1.5)).toHaveLength(6);
    expect(cpus.filter(({ slow, socket }) => slow > 1.5 && socket === cpus[20].socket)).toHaveLength(2);
  });
});

describe("of Linux", { timeout: 60_000 }, () => {
  const rate = (machine: Machine, cpus: number, workload = "pft", policy = "vma-lock") =>
    run({ machine, cpus, workload: workloadOf(workload)!, policy, operations: 200 }).rate;
  const gain = (machine: Machine, values: Record<string, number>, cpus: number, workload?: string, policy?: string) =>
    rate(withValues(machine, values), cpus, workload, policy) / rate(machine, cpus, workload, policy);

  test("each thread has its share in pft, and all are done: the slow ones decide", () => {
    const { operations, ns, rate } = run({ cpus: 60, operations: 100 });
    expect(operations).toBe(60 * 100);
    expect(rate).toBeCloseTo((operations / ns) * 1e9, 0);
    // Of 60 threads on 56 cores eight share a core: not 60 / 56 of what one a core does.
    expect(rate / run({ cpus: 56, operations: 100 }).rate).toBeLessThan(1.02);
  });

  test("the pointer to the page tables in the line that every fault prefetches for writing takes much of spf's gain", () => {
    expect(gain(loadMachine(ROOT, "gorman-80"), { pgdBesideLock: 0 }, 80, "pft", "spf")).toBeGreaterThan(1.2);
  });

  test("locks of VMAs that share a line are waited for though each has one thread", () => {
    expect(gain(withValues(iceLake, { pgdBesideLock: 0 }), { vmaLockBytes: 64 }, 12, "pft_vmas")).toBeGreaterThan(1.1);
  });

  test("a reference count is read before it is changed: a way more where few wait", () => {
    const values = { ownerBesideLock: 0, vmaOwnerBesideLock: 0, pgdBesideLock: 0 };
    const machine = withValues(iceLake, values);
    expect(rate(machine, 4, "pft", "vma-refcount") / rate(machine, 4, "pft", "vma-lock")).toBeLessThan(0.97);
  });

  slowTest("slow: draining at each unmapping makes the LRU lock's hand-over a part of every flush", () => {
    const free = { broadcastBusy: 0 };
    expect(gain(withValues(milan, free), { zapDrains: 1 }, 16, "tlb_flush2")).toBeLessThan(0.7);
    expect(
      gain(withValues(milan, { ...free, zapDrains: 1 }), { handOff: 1, lruLines: 0 }, 16, "tlb_flush2"),
    ).toBeGreaterThan(1.2);
  });

  slowTest("slow: invalidations that hardware broadcasts follow one another", () => {
    expect(gain(milan, { broadcastBusy: 0 }, 32, "tlb_flush2")).toBeGreaterThan(1.4);
  });

  test("a space on few CPUs is flushed by interrupts though hardware could broadcast", () => {
    const ipis = (cpus: number) =>
      run({ machine: milan, cpus, workload: workloadOf("tlb_flush2")!, policy: "vma-lock", operations: 100 }).ipis
        .count;
    expect(ipis(3)).toBeGreaterThan(0);
    expect(ipis(4)).toBe(0);
  });
});
