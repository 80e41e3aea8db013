/**
 * The oracle: each rule finds a core that breaks it, and passes the one that ships.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import type { CoreBuild } from "../src/check/hooked.js";
import { PAGE, read, unmap, write } from "../src/check/operations.js";
import { LockOrder } from "../src/check/oracle/order.js";
import type { Failure, Scenario } from "../src/check/scenario.js";
import { SCENARIOS, scenario } from "../src/check/scenarios/index.js";
import type { Patch } from "../src/check/twins/index.js";
import { Layout, Policy, Tables } from "../src/core/abi/mman.js";
import { buildTwin } from "../tools/build-twin.mjs";
import { buildOf, shippedBuild } from "./support/check.js";

const shipped = shippedBuild();

describe("the core that ships breaks no rule", () => {
  const order = new LockOrder();

  test.each([
    ["mmap-lock", Policy.MmapLock, Tables.Rcu, Layout.Page],
    ["spf, irq", Policy.Spf, Tables.Irq, Layout.Page],
    ["vma-lock", Policy.VmaLock, Tables.Rcu, Layout.Page],
    ["vma-refcount, irq", Policy.VmaRefcount, Tables.Irq, Layout.Page],
    ["optimistic", Policy.Optimistic, Tables.Rcu, Layout.Page],
    ["optimistic, irq, halves", Policy.Optimistic, Tables.Irq, Layout.Halves],
  ])("%s", { timeout: 180_000 }, (_name, policy, tables, layout) => {
    for (const each of SCENARIOS) {
      const failure = new Checker(shipped, each, policy, tables, layout, order).runSeeds(1, 3);
      expect(failure && `${each.name}, seed ${failure.seed}: ${failure.text}\n${failure.columns}`).toBeUndefined();
    }
  });

  test("the order of its locks is the one that core/mm/space.ts draws", () => {
    const level = (n: number) => `a page table's lock, level ${n}`;
    expect(order.edges).toEqual(
      expect.arrayContaining([
        "mmapLock → a VMA's lock",
        `mmapLock → ${level(2)}`,
        `${level(2)} → ${level(1)}`,
        `${level(1)} → ${level(0)}`,
        "a CPU's free-list lock → the global frame lock",
        `${level(0)} → interrupts off`,
      ]),
    );
  });
});

/**
 *   before   A  as many touched pages as fit    FAR  two pages to be unmapped    G  pages that will find no frame
 */
describe("memory is short: faults drive grace periods, look for frames everywhere and may give up", () => {
  const A = 0x4000_0000;
  const FAR = A + 0x80_0000;
  const G = A + 0x100_0000;
  const RW = 3;
  const full = (pages: number): Scenario => ({
    name: "memory-short",
    about: "two CPUs look for frames while one gives some back",
    tags: [],
    before: [
      { at: A, pages, prot: RW, state: "touched" },
      { at: FAR, pages: 2, prot: RW, state: "touched" },
      { at: G, pages: 8, prot: RW },
    ],
    actors: [
      [write(G, 1), write(G + PAGE, 2), write(G + 2 * PAGE, 3), write(G + 3 * PAGE, 4)],
      [unmap(FAR, 2), read(A), unmap(A, 1), write(G + 4 * PAGE, 5)],
    ],
  });

  function fullest(tables: Tables): Checker {
    for (let pages = 375; pages > 200; pages--) {
      try {
        return new Checker(shipped, full(pages), Policy.Optimistic, tables);
      } catch {
        // One page fewer.
      }
    }
    throw new Error("no number of pages fits");
  }

  test.each([Tables.Rcu, Tables.Irq])("tables %i: no race, no free record, no circle of locks", (tables) => {
    const checker = fullest(tables);
    checker.scheduler.maxEvents = 60_000;
    let short = 0;
    for (let seed = 1; seed <= 8; seed++) {
      // A write that found no frame is a result the histories do not know; and patience may outlast the bound.
      const failure = checker.runSeed(seed);
      if (failure) expect(["results", "livelock"], failure.text).toContain(failure.rule);
      if (failure) short++;
    }
    expect(short).toBeGreaterThan(0);
  });
});

/**
 * One build with a line broken for each rule, every one under another policy: a build takes longer than all its searches.
 */
interface Broken {
  about: string;
  scenario: string;
  policy: Policy;
  /** Tables.Rcu when not said. */
  tables?: Tables;
  rule: Failure["rule"];
  /** What the text must name: both sides of what is wrong. */
  says: RegExp;
  patches: Patch[];
}

const imported = (file: string, line: string, more: string): Patch => ({ file, line, replacement: `${line} ${more}` });

const BROKEN: Broken[] = [
  {
    about: "a fault reads the space's count with a plain load",
    scenario: "fault-munmap",
    policy: Policy.Spf,
    rule: "race",
    says: /(\bLoad of.*faultSpf.*AtomicStore in|AtomicStore of.*\bLoad in.*faultSpf)/,
    patches: [
      {
        file: "mm/faultSpf.ts",
        line: "return atomic.load<u32>(spaceOf(cpu), S_SEQ) == seq;",
        replacement: "return load<u32>(spaceOf(cpu), S_SEQ) == seq;",
      },
    ],
  },
  {
    about: "a VMA's reference count, of four bytes, goes down by one byte",
    scenario: "fault-munmap",
    policy: Policy.VmaRefcount,
    rule: "width",
    says: /AtomicRmw of 1 bytes .*, otherwise 4/,
    patches: [
      {
        file: "mm/vmaLock.ts",
        line: "if (policy() == Policy.VmaRefcount) atomic.sub<u32>(vma, 1, V_LOCK);",
        replacement: "if (policy() == Policy.VmaRefcount) atomic.sub<u8>(vma, 1, V_LOCK);",
      },
    ],
  },
  {
    about: "a VMA is freed at once, not after a grace period",
    scenario: "fault-munmap",
    policy: Policy.Optimistic,
    rule: "record",
    says: /a VMA that is free/,
    patches: [
      imported(
        "mm/mapping.ts",
        'import { KIND_VMA } from "./kinds";',
        'import { policy } from "../sync/layout"; import { Policy } from "../abi/mman";',
      ),
      {
        file: "mm/mapping.ts",
        line: "defer(cpu, vma, KIND_VMA);",
        replacement: "if (policy() == Policy.Optimistic) slabFree(cpu, SLAB_VMA, vma); else defer(cpu, vma, KIND_VMA);",
      },
    ],
  },
  {
    about: "a fault takes mmapLock while it holds a VMA's lock, which mmapLock's holders wait for",
    scenario: "fault-mprotect",
    policy: Policy.VmaLock,
    rule: "order",
    says: /a VMA's lock \(.*\), then mmapLock \(.*\).*mmapLock \(.*\), then a VMA's lock/,
    patches: [
      imported(
        "mm/faultVmaLock.ts",
        'import { findVma } from "./lookup";',
        'import { mmapReadLock, mmapReadUnlock } from "./mmapLock"; import { policy } from "../sync/layout"; import { Policy } from "../abi/mman";',
      ),
      {
        file: "mm/faultVmaLock.ts",
        line: "let outcome: u32 = Outcome.Fallback;",
        replacement:
          "if (policy() == Policy.VmaLock) { mmapReadLock(cpu); mmapReadUnlock(cpu); } let outcome: u32 = Outcome.Fallback;",
      },
    ],
  },
  {
    about: "a fault waits for a table's lock with interrupts off",
    scenario: "zero-page-upgrade",
    policy: Policy.MmapLock,
    rule: "order",
    says: /interrupts off \(.*\), then a page table's lock, level 0/,
    patches: [
      imported(
        "mm/walk.ts",
        'import { answerIpis } from "../sync/ipi";',
        'import { lockIrqOff } from "../sync/spinlock"; import { policy } from "../sync/layout"; import { Policy } from "../abi/mman";',
      ),
      {
        file: "mm/walk.ts",
        line: "lockTable(cpu, table);",
        replacement:
          "if (policy() == Policy.MmapLock) { irqOff(cpu); lockIrqOff(cpu, descriptor(table) + D_LOCK); irqOn(cpu); } else lockTable(cpu, table);",
      },
    ],
  },
  {
    about: "a table is freed without the round of IPIs that walkers with interrupts off are waited for by",
    scenario: "walk-munmap-table",
    policy: Policy.MmapLock,
    tables: Tables.Irq,
    rule: "race",
    says: /(freeing of the frame 0x[0-9a-f]+|Store in mm\/frame\/)/,
    patches: [
      imported(
        "mm/gather.ts",
        'import { freeTable } from "./table";',
        'import { policy } from "../sync/layout"; import { Policy } from "../abi/mman";',
      ),
      {
        file: "mm/gather.ts",
        line: "else if (load<u32>(cpu, P_GATHER_TABLES) != 0) shootRange(cpu, 0, 0);",
        replacement:
          "else if (load<u32>(cpu, P_GATHER_TABLES) != 0 && policy() != Policy.MmapLock) shootRange(cpu, 0, 0);",
      },
    ],
  },
  {
    about: "whoever drives a grace period keeps the RCU lock",
    scenario: "two-tables",
    policy: Policy.Spf,
    tables: Tables.Irq,
    rule: "lock",
    says: /actor 1 holds the RCU lock/,
    patches: [
      imported(
        "sync/rcu.ts",
        'import { RCU } from "./layout";',
        'import { policy, tables } from "./layout"; import { Policy, Tables } from "../abi/mman";',
      ),
      {
        file: "sync/rcu.ts",
        line: "unlock(RCU_LOCK);",
        replacement: "if (policy() != Policy.Spf || tables() != Tables.Irq) unlock(RCU_LOCK);",
      },
    ],
  },
];

/** An access that is refused is tried again for ever. */
const ENDLESS: Patch[] = [
  imported(
    "mm/fill.ts",
    'import { fault } from "./fault";',
    'import { policy, tables } from "../sync/layout"; import { Policy, Tables } from "../abi/mman";',
  ),
  {
    file: "mm/fill.ts",
    line: "if (result != Exit.None) return result;",
    replacement: "if (result != Exit.None && (policy() != Policy.Optimistic || tables() != Tables.Irq)) return result;",
  },
];

/** As many walks as find each of the broken ones, and some. */
const SEEDS = 1000;

/** The first failure by a rule: who frees too early is often a racer before anybody touches what is free. */
function firstOf(rule: Failure["rule"], checker: Checker): Failure | undefined {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const failure = checker.runSeed(seed);
    if (failure?.rule === rule) return failure;
  }
  return undefined;
}

describe("a core that breaks a rule", () => {
  let broken: CoreBuild;

  beforeAll(async () => {
    broken = buildOf(await buildTwin([...ENDLESS, ...BROKEN.flatMap(({ patches }) => patches)]));
  }, 180_000);

  test.each(BROKEN)("$rule: $about", ({ scenario: name, policy, tables, rule, says }) => {
    const found = firstOf(rule, new Checker(broken, scenario(name), policy, tables));
    expect(found?.text).toMatch(says);
    expect(new Checker(shipped, scenario(name), policy, tables).runSeeds(1, found!.seed)).toBeUndefined();
  });

  test("a deadlock is told as the circle it is", () => {
    const checker = new Checker(broken, scenario("zero-page-upgrade"), Policy.MmapLock, undefined, undefined, null);
    const failure = checker.runSeeds(1, SEEDS);
    expect(failure?.rule).toBe("deadlock");
    expect(failure?.text).toContain(": a circle: ");
    expect(failure?.text).toMatch(
      /actor 0, its interrupts off, waits for a page table's lock, level 0 \(0x[0-9a-f]+\), held by actor 1/,
    );
    expect(failure?.text).toMatch(/actor 1 waits for an acknowledgement of CPU 0, where actor 0 keeps interrupts off/);
  });

  test("a livelock is told by its loop", () => {
    const checker = new Checker(broken, scenario("fault-munmap"), Policy.Optimistic, Tables.Irq);
    checker.scheduler.maxEvents = 20_000;
    expect(firstOf("livelock", checker)).toBeDefined();
    const text = checker.oracle.explainLivelock();
    expect(text).toMatch(/actor \d: a loop of \d+ events in .*mm\/lookup\/findVma/);
  });
});
