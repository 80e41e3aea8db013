/** Page tables: when they may be freed, with every protection and layout. */
import { Layout, Policy, Pretouch, Tables } from "../../core/abi/mman.js";
import { also, inFile, type Twin } from "./twin.js";
import { FRAGMENTS_OF_TWO } from "./variants.js";

const TABLE_FREED_AT_ONCE: Twin = {
  name: "table-freed-at-once",
  about: "a retired table is freed at once, not after a grace period: a walker reads a free frame",
  patches: inFile("mm/table.ts", [
    "if (isPage()) defer(cpu, descriptor(table), KIND_TABLE);",
    "if (isPage()) freeTable(cpu, table);",
  ]),
  scenario: "walk-munmap-table",
  policy: Policy.Optimistic,
  caughtBy: ["freed", "race", "record"],
};

const WALK_INTERRUPTIBLE: Twin = {
  name: "walk-interruptible",
  about: "a fault walks with interrupts on where their being off is all that keeps its tables alive",
  patches: inFile(
    "mm/section.ts",
    ["if (tablesIrq()) irqOff(cpu);", "if (tablesIrq()) return;"],
    ["if (tablesIrq()) irqOn(cpu);", "if (tablesIrq()) return;"],
  ),
  scenario: "walk-munmap-table",
  seeds: 40_000,
  long: true,
  policy: Policy.Optimistic,
  tables: Tables.Irq,
  caughtBy: ["freed", "race", "record"],
};

const PRETOUCH_INTERRUPTIBLE: Twin = {
  name: "pretouch-interruptible",
  about: "an entry is touched before its table was found again with interrupts off: the table is free by then",
  patches: inFile("mm/walk.ts", ["irqOff(cpu);", "pretouch(entryAt(table, va, level));\n    irqOff(cpu);"]),
  scenario: "two-tables",
  long: true,
  policy: Policy.Optimistic,
  tables: Tables.Irq,
  pretouch: Pretouch.Own,
  caughtBy: ["freed", "race", "record"],
};

const HALF_REUSED_AT_ONCE: Twin = {
  name: "half-reused-at-once",
  about: "a retired half is spare at once, not after a grace period",
  patches: inFile("mm/block.ts", ["} else if (!walked) {", "} else if (!walked || layout() == <u32>Layout.Halves) {"]),
  long: true,
  scenario: "walk-munmap-table",
  policy: Policy.Optimistic,
  layout: Layout.Halves,
  caughtBy: ["freed", "race", "record"],
};

const PERIOD_UNFINISHED: Twin = {
  name: "period-unfinished",
  about: "deferred records are freed whether or not their grace period is over",
  patches: inFile("sync/rcu.ts", [
    "if (<i32>(atomic.load<u32>(RCU_COMPLETED) - load<u32>(head, R_GP)) < 0) return 0;",
    "",
  ]),
  scenario: "walk-munmap-table",
  long: true,
  policy: Policy.Optimistic,
  caughtBy: ["freed", "rest", "trap", "bug", "livelock", "race", "record"],
};

export const TABLE_TWINS: readonly Twin[] = [
  TABLE_FREED_AT_ONCE,
  WALK_INTERRUPTIBLE,
  PRETOUCH_INTERRUPTIBLE,
  ...also(WALK_INTERRUPTIBLE, { scenario: "walk-munmap-table", policy: Policy.Spf, name: "walk-interruptible-spf" }),
  {
    name: "round-skipped",
    about: "where no page was there to flush, tables are freed without a round of IPIs",
    patches: inFile("mm/gather.ts", ["else if (load<u32>(cpu, P_GATHER_TABLES) != 0) shootRange(cpu, 0, 0);", ""]),
    long: true,
    scenario: "walk-munmap-table",
    policy: Policy.Optimistic,
    tables: Tables.Irq,
    caughtBy: ["freed", "race", "record"],
  },
  HALF_REUSED_AT_ONCE,
  ...also(HALF_REUSED_AT_ONCE, {
    scenario: "halves-reused",
    caughtBy: ["freed", "rest", "results", "bug", "race", "record"],
  }),
  {
    name: "half-in-the-others-period",
    about: "a half retired while its block's head is queued is freed with the other, in a period that may be older",
    patches: inFile("mm/block.ts", [
      "} else if (isQueued(block)) setState(table, WAITING);",
      "} else if (isQueued(block)) setState(table, COVERED);",
    ]),
    scenario: "two-tables",
    seeds: 40_000,
    long: true,
    policy: Policy.Optimistic,
    layout: Layout.Halves,
    caughtBy: ["freed", "race", "record"],
  },
  {
    name: "block-freed-at-once",
    about: "a block of fragments is free as soon as its last table is given back",
    patches: [
      ...FRAGMENTS_OF_TWO,
      ...inFile("mm/block.ts", [
        "if (dropRef(block)) defer(cpu, descriptor(block), KIND_BLOCK);",
        "if (dropRef(block)) wholeFree(cpu, block);",
      ]),
    ],
    long: true,
    scenario: "two-tables",
    policy: Policy.Optimistic,
    layout: Layout.Fragments,
    caughtBy: ["freed", "race", "record"],
  },
  PERIOD_UNFINISHED,
  ...also(PERIOD_UNFINISHED, { scenario: "rcu-overload" }),
  {
    name: "laggards-overlooked",
    about: "a grace period ends though a CPU was not quiescent",
    patches: inFile("sync/rcu.ts", ["all = false;", ""]),
    scenario: "walk-grace-period",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["freed", "race", "record"],
  },
  {
    name: "tagged-too-early",
    about: "a record is freed at the end of the period that had begun before it was unlinked",
    patches: inFile("sync/rcu.ts", [
      "store<u32>(record, atomic.load<u32>(STARTED) + 1, R_GP);",
      "store<u32>(record, atomic.load<u32>(STARTED), R_GP);",
    ]),
    scenario: "period-begun",
    seeds: 20_000,
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["freed", "race", "record"],
  },
  {
    name: "orphans-plain",
    about: "the list of a gone CPU's records is written with a plain store, and peeked at by others",
    patches: inFile("sync/rcu.ts", ["atomic.store<u32>(ORPHANS, head);", "store<u32>(ORPHANS, head);"]),
    scenario: "orphans",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["race"],
  },
  {
    name: "zap-walks-plain",
    about: "MADV_DONTNEED reads the upper tables with plain loads while a fault links a table",
    patches: inFile("mm/zap.ts", [
      "const entry = atomic.load<u64>(entryAt(table, va, level));",
      "const entry = load<u64>(entryAt(table, va, level));",
    ]),
    scenario: "table-dontneed",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["race"],
  },
];
