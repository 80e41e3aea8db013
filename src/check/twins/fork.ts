/** What fork and the copying of a page that is shared must do, and in which order. */
import { Policy } from "../../core/abi/mman.js";
import { also, inFile, type Twin } from "./twin.js";

const FLUSH = "if ((old & PTE_A) != 0 && (old & PTE_V) != 0) shootPage(cpu, va & PAGE_BASE);";

const FORK_WITHOUT_FLUSH: Twin = {
  name: "fork-without-flush",
  about: "fork returns with writable translations of shared pages in the parent's TLBs: later stores show in the child",
  patches: inFile("mm/fork.ts", ["shootRange(cpu, 0, TASK_SIZE);", ""]),
  scenario: "fork-fault-stale",
  policy: Policy.Optimistic,
  // A stale store is seen by the child, or found in a TLB at rest, or beside the copy.
  caughtBy: ["results", "rest", "race"],
};

const FORK_FORGETS_REFERENCE: Twin = {
  name: "fork-forgets-reference",
  about: "the child has the page and no reference to it: who writes first takes it over",
  patches: inFile("mm/fork.ts", ["getPage(frame);", ""]),
  scenario: "fork-fault-stale",
  policy: Policy.Optimistic,
  caughtBy: ["results", "rest", "freed", "bug"],
};

const SHARED_TAKEN_OVER: Twin = {
  name: "shared-page-taken-over",
  about: "a write to a page that another space has, too, takes it over",
  patches: inFile(
    "mm/cow.ts",
    [
      "if (isZeroFrame(seen) || !isSolePage(ptePhys(seen))) return replace(cpu, leaf, vma, va, seen, rights);",
      "if (isZeroFrame(seen)) return replace(cpu, leaf, vma, va, seen, rights);",
    ],
    [
      "if (isSolePage(ptePhys(seen))) done = grantLocked(cpu, leaf, va, seen, rights);",
      "done = grantLocked(cpu, leaf, va, seen, rights);",
    ],
  ),
  scenario: "cow-cow",
  policy: Policy.Optimistic,
  // The other sees the store; or, at rest, an entry allows it.
  caughtBy: ["results", "rest", "race"],
};

const COPY_UNFLUSHED: Twin = {
  name: "copy-unflushed",
  about: "a copied page takes its place without a shootdown: other CPUs of the space go on in the old one",
  patches: inFile("mm/cow.ts", [FLUSH, ""]),
  scenario: "cow-read",
  policy: Policy.Optimistic,
  caughtBy: ["results", "rest", "freed", "race"],
};

export const FORK_TWINS: readonly Twin[] = [
  FORK_WITHOUT_FLUSH,
  FORK_FORGETS_REFERENCE,
  // The parent's unmapping frees what the child reads.
  ...also(FORK_FORGETS_REFERENCE, { scenario: "fork-munmap", caughtBy: ["race", "results", "rest", "freed", "bug"] }),
  SHARED_TAKEN_OVER,
  ...also(SHARED_TAKEN_OVER, { scenario: "cow-exit" }, { scenario: "private-shared-write" }),
  COPY_UNFLUSHED,
  {
    name: "reuse-of-a-shared-page",
    about: "a page is taken over that was the space's alone when the fault began: fork has shared it since",
    patches: inFile("mm/cow.ts", [
      "if (isSolePage(ptePhys(seen))) done = grantLocked(cpu, leaf, va, seen, rights);",
      "done = grantLocked(cpu, leaf, va, seen, rights);",
    ]),
    scenario: "cow-fork",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["results", "rest", "race"],
  },
  {
    name: "fault-beside-copying",
    about: "a fault brings a page in while fork copies: the child has a store and not the one before it",
    patches: inFile("mm/commit.ts", [
      "else if (atomic.load<u32>(spaceOf(cpu), S_COPYING) != 0) outcome = Outcome.Fallback;",
      "",
    ]),
    scenario: "fork-order",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["results"],
  },
  {
    name: "guard-unflushed",
    about: "a guard takes a page's place and the page is not gathered: it is in TLBs still, and nobody's",
    patches: inFile("mm/guard.ts", [
      "else if (!isMarker(old)) gatherPage(cpu, va, isZeroFrame(old) ? 0 : ptePhys(old));",
      "",
    ]),
    scenario: "guard-fault",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["rest", "results"],
  },
  {
    name: "guard-uncounted",
    about: "a guard where nothing was is not counted in its table: the table looks empty",
    patches: inFile("mm/guard.ts", ["addUsedLocked(leaf, added);", ""]),
    scenario: "guard-fresh",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["rest", "bug"],
  },
  {
    name: "moved-uncounted",
    about: "the entries that a move makes are not counted in the table of their new place",
    patches: inFile("mm/move.ts", ["addUsedLocked(fresh, moved);", ""]),
    scenario: "mremap-fresh",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["rest", "bug"],
  },
  {
    name: "move-unflushed-in-mremap-fault",
    about: "an entry moves and no translation of the old place is flushed",
    patches: inFile("mm/move.ts", [
      "if (closeLocked(old, from, bytes)) shootRange(cpu, from, from + bytes);",
      "closeLocked(old, from, bytes);",
    ]),
    scenario: "mremap-fault",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["rest", "results"],
  },
  {
    name: "child-table-uncounted",
    about: "the entries that fork makes are not counted in the child's table",
    patches: inFile("mm/fork.ts", ["addUsedLocked(target, copied);", ""]),
    scenario: "fork-fresh",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["rest", "bug"],
  },
  {
    name: "fork-copies-past-end",
    about:
      "the child gets a private page past the end of a file that is made shorter, after its mapping was looked through",
    patches: inFile("mm/fork.ts", ["if (load<u32>(vma, V_OBJECT) != 0 && pastEnd(vma, va)) return false;", ""]),
    scenario: "fork-truncate",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["results"],
  },
  {
    name: "space-taken-down-twice",
    about: "every reference that is given back takes the space down, though others have it",
    patches: inFile("mm/lifecycle.ts", [
      "if (atomic.sub<u32>(space, 1, S_REFS) != 1) return;",
      "atomic.sub<u32>(space, 1, S_REFS);",
    ]),
    scenario: "remote-exit",
    long: true,
    policy: Policy.Optimistic,
    // Its pages go, and its record and tables a second time.
    caughtBy: ["freed", "record", "bug", "rest", "race", "results", "trap", "leak", "deadlock"],
  },
];
