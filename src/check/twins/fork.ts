/** What fork and the copying of a page that is shared must do, and in which order. */
import { Policy } from "../../core/abi/mman.js";
import { also, inFile, type Twin } from "./twin.js";

const COPY = "if (source != 0) memory.copy(frame, source, 4096);";
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

const FORK_UNLOCKED: Twin = {
  name: "fork-unlocked",
  about: "fork takes no mmapLock: it walks VMAs that are being removed",
  patches: inFile("mm/fork.ts", ["mmapWriteLock(cpu);", ""], ["mmapWriteUnlock(cpu);", ""]),
  scenario: "fork-munmap",
  long: true,
  policy: Policy.Optimistic,
  // It uses what the unmapping frees or changes, and locks what is free.
  caughtBy: ["race", "record", "rest", "results", "bug", "deadlock", "trap", "freed"],
};

export const FORK_TWINS: readonly Twin[] = [
  FORK_WITHOUT_FLUSH,
  FORK_FORGETS_REFERENCE,
  SHARED_TAKEN_OVER,
  ...also(SHARED_TAKEN_OVER, { scenario: "cow-exit" }, { scenario: "private-shared-write" }),
  COPY_UNFLUSHED,
  FORK_UNLOCKED,
  {
    name: "copies-before-flush",
    about: "a page is copied before its translations are gone: what a CPU stores meanwhile is in neither copy",
    patches: inFile("mm/cow.ts", [FLUSH, COPY], [COPY, FLUSH]),
    scenario: "fork-stale-copy",
    long: true,
    policy: Policy.Optimistic,
    // The copy beside the store; or the store that is gone.
    caughtBy: ["race", "results"],
  },
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
    name: "fork-leaf-unlocked",
    about: "fork copies the entries of a table whose lock it has given back",
    patches: inFile(
      "mm/fork.ts",
      ["lockTable(cpu, target);", "lockTable(cpu, target); unlockTable(cpu, leaf);"],
      ["unlockTable(cpu, target);", "unlockTable(cpu, target); lockTable(cpu, leaf);"],
    ),
    scenario: "fork-fresh",
    long: true,
    policy: Policy.Optimistic,
    // Entries come and go beside it: counted in one table and not in the other, or read and written beside each other.
    caughtBy: ["race", "rest", "results", "bug"],
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
