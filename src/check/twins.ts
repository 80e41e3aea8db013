/**
 * Buggy twins: the core with a protocol broken by one line. The checker must find every one; a twin that survives means
 * that a check has gone blind. tools/build-twin.mjs compiles them; a line that is not there, exactly once, stops the build.
 *
 * A variant is the other kind of changed build: still right, but with a constant that leads small scenarios into code
 * they would never reach.
 */
import { Policy } from "../core/abi/mman.js";
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
  readonly policy: Policy;
  /** The rules it may be caught by, each for a reason. */
  readonly caughtBy: readonly Rule[];
}

export const TWINS: readonly Twin[] = [
  {
    name: "commit-unchecked",
    about: "a fault commits without looking whether its VMA was detached: the page outlives munmap",
    patches: [
      {
        file: "mm/commit.ts",
        line: "else if (isDetached(vma)) outcome = Outcome.RetryDetached;",
        replacement: "",
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
        file: "mm/retire.ts",
        line: "defer(cpu, descriptor(table), KIND_TABLE);",
        replacement: "freeTable(cpu, table);",
      },
      {
        file: "mm/retire.ts",
        line: 'import { addUsedLocked, lockTable, markDeadLocked, unlockTable, usedLocked } from "./table";',
        replacement:
          'import { addUsedLocked, freeTable, lockTable, markDeadLocked, unlockTable, usedLocked } from "./table";',
      },
    ],
    scenario: "walk-munmap-table",
    policy: Policy.Optimistic,
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
}

export const VARIANTS: readonly Variant[] = [
  {
    name: "mmap-lock-sleeps",
    about: "who waits for mmapLock sleeps at once, where the shipping core first spins twenty rounds",
    patches: [{ file: "sync/rwlock.ts", line: "const SPINS: u32 = 20;", replacement: "const SPINS: u32 = 0;" }],
  },
];
