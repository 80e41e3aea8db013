/** What a fault must look at again under the table's lock, and what a change of the map must do in which order. */
import { Policy } from "../../core/abi/mman.js";
import { also, inFile, type Twin } from "./twin.js";

const COMMIT_UNCHECKED: Twin = {
  name: "commit-unchecked",
  about: "a fault commits without looking whether its VMA was detached: the page outlives munmap",
  patches: inFile("mm/commit.ts", [
    "if (isDetached(vma)) outcome = Outcome.RetryDetached;",
    "if (vma == 0) outcome = Outcome.RetryDetached;",
  ]),
  scenario: "fault-munmap",
  policy: Policy.Optimistic,
  // An entry outside every VMA at rest; or, before that, an access that works after munmap returned.
  caughtBy: ["rest", "results"],
};

const LINK_UNCHECKED: Twin = {
  name: "link-unchecked",
  about: "a fault links a table without looking whether its VMA was detached: the table outlives munmap",
  patches: inFile("mm/walk.ts", [
    "outcome = isDetached(vma) ? Outcome.RetryDetached : Outcome.Done;",
    "outcome = Outcome.Done;",
  ]),
  scenario: "parent-stays",
  long: true,
  policy: Policy.Optimistic,
  caughtBy: ["rest"],
};

const EMPTY_TABLE_SKIPPED: Twin = {
  name: "empty-table-skipped",
  about: "munmap passes over a table that looks empty without taking its lock: a fault under way is missed",
  patches: inFile("mm/zap.ts", [
    "if (gatherFull(cpu)) gatherFlush(cpu);",
    "if (gatherFull(cpu)) gatherFlush(cpu);\n  if (usedLocked(leaf) == 0) return;",
  ]),
  scenario: "fault-munmap-one",
  long: true,
  policy: Policy.Optimistic,
  caughtBy: ["rest", "bug", "race"],
};

const ENTRY_UNCHECKED: Twin = {
  name: "entry-unchecked",
  about: "a fault enters its own frame in its TLB though another's is in the table",
  patches: inFile("mm/commit.ts", [
    "else if (atomic.load<u64>(entryAt(leaf, va, 0)) != seen) outcome = Outcome.RetryEntry;",
    "",
  ]),
  scenario: "fault-fault-page",
  long: true,
  policy: Policy.Optimistic,
  caughtBy: ["rest", "results"],
};

const LOOKUP_STALE: Twin = {
  name: "lookup-stale",
  about: "a fault trusts the VMA it found last though the map has changed since",
  patches: inFile("mm/lookup.ts", [
    "const change = atomic.load<u32>(spaceOf(cpu), S_CHANGE);",
    "const change: u32 = atomic.load<u32>(spaceOf(cpu), S_CHANGE) & 0;",
  ]),
  long: true,
  scenario: "fault-remap",
  policy: Policy.Optimistic,
  // It commits for a detached VMA, over and over; or for a record that is another's by now.
  caughtBy: ["results", "livelock", "rest", "trap", "deadlock"],
};

const FRAME_FORGOTTEN: Twin = {
  name: "frame-forgotten",
  about: "a fault that lost its race keeps the frame it had prepared",
  patches: inFile("mm/serve.ts", [
    "if (outcome != Outcome.Done) putPage(cpu, frame);",
    "if (outcome != Outcome.Done) count(cpu, Counter.FramesFreed);",
  ]),
  long: true,
  scenario: "fault-fault",
  policy: Policy.Optimistic,
  caughtBy: ["rest"],
};

export const COMMIT_TWINS: readonly Twin[] = [
  COMMIT_UNCHECKED,
  ...also(
    COMMIT_UNCHECKED,
    { scenario: "fault-munmap-one" },
    { scenario: "remap-aba" },
    { scenario: "fault-mprotect-one" },
    { scenario: "heap", caughtBy: ["rest", "results", "bug"] },
    { scenario: "three-mixed" },
  ),
  LINK_UNCHECKED,
  ...also(LINK_UNCHECKED, { scenario: "parent-goes" }),
  {
    name: "barrier-skipped",
    about: "munmap does not wait for who is linking a table under its range",
    patches: inFile("mm/mapping.ts", [
      "zapRange(cpu, start, end, true, WHOLE);",
      "zapRange(cpu, start, end, false, WHOLE);",
    ]),
    scenario: "parent-stays",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["rest"],
  },
  EMPTY_TABLE_SKIPPED,
  ...also(EMPTY_TABLE_SKIPPED, { scenario: "fault-munmap-one", policy: Policy.Spf, name: "empty-table-skipped-spf" }),
  ENTRY_UNCHECKED,
  ...also(ENTRY_UNCHECKED, { scenario: "cow-dontneed", caughtBy: ["rest", "results", "bug", "freed", "race"] }),
  LOOKUP_STALE,
  FRAME_FORGOTTEN,
  {
    name: "neighbours-table-retired",
    about: "munmap retires a table that maps a part of the next mapping",
    patches: inFile("mm/mapping.ts", [
      "retireTables(cpu, start, end, below == 0 ? 0 : vmaEnd(below), above == 0 ? TASK_SIZE : vmaStart(above));",
      "retireTables(cpu, start, end, below == 0 ? 0 : 0, above == 0 ? TASK_SIZE : TASK_SIZE);",
    ]),
    scenario: "neighbour-goes",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["bug", "results", "rest", "livelock"],
  },
  {
    name: "entries-before-vma",
    about: "mprotect narrows the entries before it replaces the VMA: a fault in between grants what was taken",
    patches: inFile(
      "mm/mprotect.ts",
      ["if (flags != vmaFlags(vma)) result = replaceLocked(cpu, vma, at, upTo, flags, vmaName(vma));", ""],
      [
        "if (result == 0) changeEntries(cpu, at, upTo, rightsOf(prot));",
        "changeEntries(cpu, at, upTo, rightsOf(prot)); if (flags != vmaFlags(vma)) result = replaceLocked(cpu, vma, at, upTo, flags, vmaName(vma));",
      ],
    ),
    scenario: "fault-mprotect-one",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["rest", "results"],
  },
  {
    name: "growth-unchecked",
    about: "a fault grows the stack to its page though another grew it further meanwhile",
    patches: inFile("mm/grow.ts", ["let grown: bool = find(root, va) != 0;", "let grown: bool = false;"]),
    scenario: "stack-stack",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["rest", "results", "leak", "livelock", "bug"],
  },
];
