/** Memory that runs out, and what a call that could not be done must give back. */
import { Policy } from "../../core/abi/mman.js";
import { also, inFile, type Twin } from "./twin.js";

const NEVER_GIVES_UP: Twin = {
  name: "never-gives-up",
  about: "a fault that finds no frame tries again though nobody holds any back",
  patches: inFile("mm/fault.ts", [
    "if (outcome != Outcome.Oom || !reclaim(cpu)) return <i32>outcome;",
    "if (outcome != Outcome.Oom) return <i32>outcome;\n    reclaim(cpu);",
  ]),
  scenario: "no-frame-for-page",
  long: true,
  policy: Policy.Optimistic,
  caughtBy: ["livelock", "deadlock", "order"],
};

const TABLE_KEPT: Twin = {
  name: "table-kept",
  about: "a fault that did not link its table keeps it",
  patches: inFile("mm/walk.ts", ["if (!linked) discardTable(cpu, table);", ""]),
  scenario: "frames-for-one",
  long: true,
  policy: Policy.Optimistic,
  caughtBy: ["rest", "leak"],
};

export const MEMORY_TWINS: readonly Twin[] = [
  NEVER_GIVES_UP,
  ...also(NEVER_GIVES_UP, { scenario: "no-frame-for-parent" }),
  TABLE_KEPT,
  ...also(TABLE_KEPT, { scenario: "fault-fault" }),
  {
    name: "table-imagined",
    about: "a fault goes on as if the table it found no frame for were there",
    patches: inFile("mm/walk.ts", ["if (table == 0) return Outcome.Oom;", "if (table == 0) return Outcome.Done;"]),
    scenario: "no-frame-for-table",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["livelock", "trap"],
  },
  {
    name: "shortage-unspoken",
    about: "a fault that finds no frame looks neither at what others hold back nor at the free lists again",
    patches: inFile("mm/fault.ts", [
      "if (outcome != Outcome.Oom || !reclaim(cpu)) return <i32>outcome;",
      "if (outcome != Outcome.Oom) return <i32>outcome;\n    if (reclaim(cpu)) return Outcome.Trap;",
    ]),
    scenario: "no-frame-for-upgrade",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["results"],
  },
  {
    name: "split-half-kept",
    about: "mprotect that finds no record for a piece keeps the one it has made",
    patches: inFile("mm/replace.ts", ["discardVma(cpu, mid);", ""]),
    scenario: "no-record-for-split",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["leak"],
  },
  {
    name: "unmap-half-kept",
    about: "munmap that finds no record for the second piece keeps the first",
    patches: inFile("mm/mapping.ts", ["discardVma(cpu, head);", ""]),
    scenario: "no-record-for-split",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["leak"],
  },
  {
    name: "growth-imagined",
    about: "a fault goes on as if the stack had grown for which there was no record",
    patches: inFile("mm/mapping.ts", ["if (taller == 0) return false;", "if (taller == 0) return true;"]),
    scenario: "no-record-for-map",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["livelock"],
  },
];
