/**
 * Buggy twins: the core with a protocol broken by one line. The checker must find every one; a twin that survives means
 * that a check has gone blind. tools/build-twin.mjs compiles them; a line that is not there, exactly once, stops the build.
 *
 * A variant is the other kind of changed build: still right, but with a constant that leads small scenarios into code
 * they would never reach.
 */
import { Layout, Policy, Tables } from "../core/abi/mman.js";
import type { Rule } from "./violation.js";

/** One source line and what stands in its place. The line is compared without its indentation. */
export interface Patch {
  file: string;
  line: string;
  replacement: string;
}

export interface Twin {
  readonly name: string;
  /** What goes wrong. */
  readonly about: string;
  readonly patches: readonly Patch[];
  readonly scenario: string;
  /** How many random walks must do, where the usual number does not: among the long tests. */
  readonly seeds?: number;
  readonly policy: Policy;
  /** Tables.Rcu when not said. */
  readonly tables?: Tables;
  /** Layout.Page when not said. */
  readonly layout?: Layout;
  /** The rules it may be caught by, each for a reason. */
  readonly caughtBy: readonly Rule[];
}

/** Blocks so small that a scenario can fill one. */
const FRAGMENTS_OF_TWO: Patch = {
  file: "mm/block.ts",
  line: "const FRAGMENTS: u32 = 16;",
  replacement: "const FRAGMENTS: u32 = 2;",
};

export const TWINS: readonly Twin[] = [
  {
    name: "commit-unchecked",
    about: "a fault commits without looking whether its VMA was detached: the page outlives munmap",
    patches: [
      {
        file: "mm/commit.ts",
        line: "if (isDetached(vma)) outcome = Outcome.RetryDetached;",
        replacement: "if (vma == 0) outcome = Outcome.RetryDetached;",
      },
    ],
    scenario: "fault-munmap",
    policy: Policy.Optimistic,
    // An entry outside every VMA at rest; or, before that, an access that works after munmap returned.
    caughtBy: ["rest", "results"],
  },
  {
    name: "table-freed-at-once",
    about: "a retired table is freed at once, not after a grace period: a walker reads a free frame",
    patches: [
      {
        file: "mm/table.ts",
        line: "if (isPage()) defer(cpu, descriptor(table), KIND_TABLE);",
        replacement: "if (isPage()) freeTable(cpu, table);",
      },
    ],
    scenario: "walk-munmap-table",
    policy: Policy.Optimistic,
    caughtBy: ["freed"],
  },
  {
    name: "walk-interruptible",
    about: "a fault walks with interrupts on where their being off is all that keeps its tables alive",
    patches: [
      { file: "mm/section.ts", line: "if (tablesIrq()) irqOff(cpu);", replacement: "if (tablesIrq()) return;" },
      { file: "mm/section.ts", line: "if (tablesIrq()) irqOn(cpu);", replacement: "if (tablesIrq()) return;" },
    ],
    scenario: "walk-munmap-table",
    seeds: 40_000,
    policy: Policy.Optimistic,
    tables: Tables.Irq,
    caughtBy: ["freed"],
  },
  {
    name: "walk-interruptible-spf",
    about: "the same in the speculative fault of the patchset",
    patches: [
      { file: "mm/section.ts", line: "if (tablesIrq()) irqOff(cpu);", replacement: "if (tablesIrq()) return;" },
      { file: "mm/section.ts", line: "if (tablesIrq()) irqOn(cpu);", replacement: "if (tablesIrq()) return;" },
    ],
    scenario: "walk-munmap-table",
    seeds: 40_000,
    policy: Policy.Spf,
    tables: Tables.Irq,
    caughtBy: ["freed"],
  },
  {
    name: "round-skipped",
    about: "where no page was there to flush, tables are freed without a round of IPIs",
    patches: [
      {
        file: "mm/gather.ts",
        line: "else if (load<u32>(cpu, P_GATHER_TABLES) != 0) shootRange(cpu, 0, 0);",
        replacement: "",
      },
    ],
    scenario: "walk-munmap-table",
    policy: Policy.Optimistic,
    tables: Tables.Irq,
    caughtBy: ["freed"],
  },
  {
    name: "half-reused-at-once",
    about: "a retired half is spare at once, not after a grace period",
    patches: [
      {
        file: "mm/block.ts",
        line: "} else if (!walked) {",
        replacement: "} else if (!walked || layout() == <u32>Layout.Halves) {",
      },
    ],
    scenario: "walk-munmap-table",
    policy: Policy.Optimistic,
    layout: Layout.Halves,
    caughtBy: ["freed"],
  },
  {
    name: "half-in-the-others-period",
    about: "a half retired while its block's head is queued is freed with the other, in a period that may be older",
    patches: [
      {
        file: "mm/block.ts",
        line: "} else if (isQueued(block)) setState(table, WAITING);",
        replacement: "} else if (isQueued(block)) setState(table, COVERED);",
      },
    ],
    scenario: "two-tables",
    seeds: 40_000,
    policy: Policy.Optimistic,
    layout: Layout.Halves,
    caughtBy: ["freed"],
  },
  {
    name: "block-freed-at-once",
    about: "a block of fragments is free as soon as its last table is given back",
    patches: [
      FRAGMENTS_OF_TWO,
      {
        file: "mm/block.ts",
        line: "if (dropRef(block)) defer(cpu, descriptor(block), KIND_BLOCK);",
        replacement: "if (dropRef(block)) wholeFree(cpu, block);",
      },
    ],
    scenario: "two-tables",
    policy: Policy.Optimistic,
    layout: Layout.Fragments,
    caughtBy: ["freed"],
  },
  {
    name: "fill-interruptible",
    about: "an entry goes from table to TLB with interrupts on: a flush acknowledged in between is undone",
    patches: [
      { file: "mm/fill.ts", line: "irqOff(cpu);", replacement: "" },
      { file: "mm/fill.ts", line: "irqOn(cpu);", replacement: "" },
    ],
    scenario: "fault-remap",
    policy: Policy.Optimistic,
    // A copy through the stale translation; a stale translation found at rest; or the old page's byte read from the new.
    caughtBy: ["freed", "rest", "results"],
  },
  {
    name: "zero-page-unflushed",
    about: "the zero page is replaced without a shootdown: a hart goes on reading zero",
    patches: [{ file: "mm/serve.ts", line: "shootPage(cpu, va & PAGE_BASE);", replacement: "" }],
    scenario: "zero-page-upgrade",
    policy: Policy.MmapLock,
    caughtBy: ["rest", "results"],
  },
  {
    name: "lookup-stale",
    about: "a fault trusts the VMA it found last though the map has changed since",
    patches: [
      {
        file: "mm/lookup.ts",
        line: "const change = atomic.load<u32>(S_CHANGE);",
        replacement: "const change: u32 = atomic.load<u32>(S_CHANGE) & 0;",
      },
    ],
    scenario: "fault-remap",
    policy: Policy.Optimistic,
    // It commits for a detached VMA, over and over; or for a record that is another's by now.
    caughtBy: ["results", "livelock", "rest", "trap", "deadlock"],
  },
  {
    name: "flush-unacknowledged",
    about: "a CPU flushes and never says so: the sender waits for ever",
    patches: [
      {
        file: "sync/ipi.ts",
        line: "atomic.store<u32>(cpu, load<u32>(cpu, C_FLUSH_REQ), C_FLUSH_DONE);",
        replacement: "",
      },
    ],
    scenario: "fault-munmap",
    policy: Policy.Optimistic,
    caughtBy: ["deadlock"],
  },
  {
    name: "frame-forgotten",
    about: "a fault that lost its race keeps the frame it had prepared",
    patches: [
      {
        file: "mm/serve.ts",
        line: "if (outcome != Outcome.Done) freeFrame(cpu, frame);",
        replacement: "if (outcome != Outcome.Done) count(cpu, Counter.FramesFreed);",
      },
    ],
    scenario: "fault-fault",
    policy: Policy.Optimistic,
    caughtBy: ["rest"],
  },
];

export interface Variant {
  readonly name: string;
  readonly about: string;
  readonly patches: readonly Patch[];
  readonly layout?: Layout;
}

export const VARIANTS: readonly Variant[] = [
  {
    name: "mmap-lock-sleeps",
    about: "who waits for mmapLock sleeps at once, where the shipping core first spins twenty rounds",
    patches: [{ file: "sync/rwlock.ts", line: "const SPINS: u32 = 20;", replacement: "const SPINS: u32 = 0;" }],
  },
  {
    name: "fragments-of-two",
    about: "blocks of two fragments, which small scenarios fill and empty",
    patches: [FRAGMENTS_OF_TWO],
    layout: Layout.Fragments,
  },
];
