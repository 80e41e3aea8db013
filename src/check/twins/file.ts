/** What faults on pages of objects, and who takes pages out or writes them back, must do, and in which order. */
import { Policy } from "../../core/abi/mman.js";
import { also, inFile, type Twin } from "./twin.js";

const ZAP = "zapMappingsLocked(cpu, o, from, end, which);";
const CLEAR = "atomic.and<u32>(slot, ~DIRTY);";
const PROTECT = "if (n != 0) protectLocked(cpu, o, offset, offset + ((<u64>n) << 12));";

const COMMIT_WITHOUT_RECHECK: Twin = {
  name: "commit-without-recheck",
  about:
    "a fault maps a page that was the object's when it began: it was cut off since, and its mapping looked through",
  patches: inFile("mm/serveFile.ts", [
    "if (outcome != Outcome.Done || isStillCached(o, index, frame)) return outcome;",
    "if (outcome != Outcome.Done || o != 0) return outcome;",
  ]),
  scenario: "file-fault-truncate",
  policy: Policy.Optimistic,
  // An entry whose page is nobody's; or an access that works after the file was made shorter.
  caughtBy: ["rest", "results"],
};

const PAGE_ADDED_TWICE: Twin = {
  name: "page-added-twice",
  about: "a page enters the cache though there is one: two mappings of it see two pages",
  patches: inFile("mm/cache.ts", ["if (atomic.load<u32>(slot) != 0) return Add.Refused;", ""]),
  scenario: "shared-fault-fault",
  policy: Policy.Optimistic,
  caughtBy: ["rest", "results"],
};

export const FILE_TWINS: readonly Twin[] = [
  COMMIT_WITHOUT_RECHECK,
  ...also(COMMIT_WITHOUT_RECHECK, { scenario: "file-fault-truncate-private" }),
  PAGE_ADDED_TWICE,
  ...also(PAGE_ADDED_TWICE, { scenario: "page-in-twice" }),
  {
    name: "trim-before-removal",
    about: "the mappings are looked through before the page is out of the cache: a fault in between brings it back",
    patches: inFile("mm/truncate.ts", ["let taken: usize = 0;", `let taken: usize = 0; ${ZAP}`], [ZAP, ""]),
    scenario: "file-fault-truncate",
    policy: Policy.Optimistic,
    caughtBy: ["rest", "results"],
  },
  {
    name: "even-cows-kept",
    about: "private copies past the new end of a file stay",
    patches: inFile("mm/truncate.ts", [
      "takeOutLocked(cpu, o, from, END, ALL);",
      "takeOutLocked(cpu, o, from, END, CACHED_ONLY);",
    ]),
    scenario: "file-fault-truncate-private",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["results"],
  },
  {
    name: "punch-takes-copies",
    about: "private copies of what becomes a hole go, too",
    patches: inFile("mm/truncate.ts", [
      "takeOutLocked(cpu, o, from, end, CACHED_ONLY);",
      "takeOutLocked(cpu, o, from, end, ALL);",
    ]),
    scenario: "file-fault-punch",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["results"],
  },
  {
    name: "around-after-unlock",
    about: "the pages around the one that was asked for are mapped without the table's lock",
    patches: inFile(
      "mm/serveFile.ts",
      ['import { unlockTable } from "./table";', 'import { lockTable, unlockTable } from "./table";'],
      [
        "aroundLocked(cpu, leaf, va, o, index, vmaStart(vma), vmaEnd(vma), given);",
        "unlockTable(cpu, leaf); aroundLocked(cpu, leaf, va, o, index, vmaStart(vma), vmaEnd(vma), given); lockTable(cpu, leaf);",
      ],
    ),
    scenario: "around-truncate",
    long: true,
    policy: Policy.Optimistic,
    // The page is mapped after its mapping was looked through; the table's count is changed beside its lock.
    caughtBy: ["rest", "results", "race", "bug"],
  },
  {
    name: "get-without-recheck",
    about:
      "a fault has the cached page's address, and takes a reference to whoever has the frame by now: it copies another's page",
    patches: inFile("mm/cache.ts", ["if (frameIn(atomic.load<u32>(slot)) == frame) return frame;", "return frame;"]),
    scenario: "file-frame-reused",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["race", "freed", "rest", "results"],
  },
  {
    name: "attach-after-publish",
    about: "a mapping can be found before it is among its object's: who makes the file shorter passes it by",
    patches: inFile(
      "mm/mapping.ts",
      ["adopt(cpu, vma);", ""],
      [
        "treeReplace(cpu, vmaStart(vma), (right != 0 ? vmaStart(right) : from) + 1, vma, 0, 0);",
        "treeReplace(cpu, vmaStart(vma), (right != 0 ? vmaStart(right) : from) + 1, vma, 0, 0); adopt(cpu, vma);",
      ],
    ),
    scenario: "attach-truncate",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["rest", "results"],
  },
  {
    name: "leaves-the-list-unlocked",
    about: "a mapping leaves the list of its object's while somebody follows it",
    patches: inFile(
      "mm/object.ts",
      ["const next = load<u32>(vma, V_MAP_NEXT);", "unlock(o + O_MAPS_LOCK); const next = load<u32>(vma, V_MAP_NEXT);"],
      [
        "store<u32>(o, load<u32>(o, O_WRITABLE) - writes(vma), O_WRITABLE);",
        "store<u32>(o, load<u32>(o, O_WRITABLE) - writes(vma), O_WRITABLE); lock(cpu, o + O_MAPS_LOCK);",
      ],
    ),
    scenario: "munmap-truncate",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["race", "record"],
  },
  {
    name: "page-in-unconditional",
    about: "what was read of a file enters the cache though the file was written to meanwhile",
    patches: inFile("mm/pageIn.ts", [
      "const same = load<u32>(o, O_WRITES) == load<u32>(cpu, P_IO_WRITES);",
      "const same: bool = true;",
    ]),
    scenario: "page-in-write",
    policy: Policy.Optimistic,
    caughtBy: ["results"],
  },
  {
    name: "dirty-cleared-late",
    about:
      "a page is marked clean after the right to write was taken: what was stored in between is never written back",
    patches: inFile(
      "mm/writeback.ts",
      [CLEAR, ""],
      [PROTECT, `${PROTECT} for (let i: u32 = 0; i < n; i++) atomic.and<u32>(slotOf(o, first + i), ~DIRTY);`],
    ),
    scenario: "shared-write-writeback",
    policy: Policy.Optimistic,
    caughtBy: ["results"],
  },
  {
    name: "writeback-keeps-rights",
    about: "a page is written back and stays writable: later stores never mark it dirty",
    patches: inFile("mm/writeback.ts", [PROTECT, ""]),
    scenario: "shared-write-writeback",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["results"],
  },
  {
    name: "forgotten-in-use",
    about: "an object ends though its file was mapped again since it was taken for its release",
    patches: inFile("mm/object.ts", [
      "const ends = o != 0 && atomic.load<u32>(o, O_REFS) == 1 && (lost || isClean(o));",
      "const ends = o != 0;",
    ]),
    scenario: "release-reopen",
    long: true,
    policy: Policy.Optimistic,
    // What the mapping has is another object, or a dead one: pages that can not be entered, over and over.
    caughtBy: ["livelock", "results", "rest", "record", "freed", "race", "bug", "leak", "trap"],
  },
];
