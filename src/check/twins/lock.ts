/** Locks: mmapLock, the locks of VMAs, and how one waits for a table's. */
import { Policy } from "../../core/abi/mman.js";
import { also, inFile, type Twin } from "./twin.js";

const VMA_FREED_AT_ONCE: Twin = {
  name: "vma-freed-at-once",
  about: "a VMA's record is used again while a fault that found it is about to lock it",
  patches: inFile("mm/mapping.ts", ["defer(cpu, vma, KIND_VMA);", "slabFree(cpu, SLAB_VMA, vma);"]),
  scenario: "sequence-wrap",
  seeds: 40_000,
  long: true,
  policy: Policy.VmaLock,
  caughtBy: ["rest", "results", "livelock", "bug", "leak", "deadlock", "race", "record"],
};

const WRITER_BESIDE_READERS: Twin = {
  name: "writer-beside-readers",
  about: "mmapLock is taken for writing while readers hold it",
  patches: inFile("sync/rwlock.ts", [
    "return atomic.cmpxchg<u32>(lock, 0, WRITER) == 0;",
    "return (atomic.or<u32>(lock, WRITER) & WRITER) == 0;",
  ]),
  scenario: "munmap-twice",
  long: true,
  policy: Policy.Optimistic,
  caughtBy: ["bug", "rest", "results", "deadlock", "lock", "leak", "livelock"],
};

export const LOCK_TWINS: readonly Twin[] = [
  WRITER_BESIDE_READERS,
  ...also(WRITER_BESIDE_READERS, { scenario: "munmap-munmap" }),
  {
    name: "waiter-deaf",
    about: "who waits for a table's lock answers no flush: the holder waits for it",
    patches: inFile(
      "sync/spinlock.ts",
      ['import { pause } from "./env";', 'import { irqOff, irqOn, pause } from "./env";'],
      ["do {", "irqOff(cpu);\n  do {"],
      ["answerIpis(cpu);", ""],
      ["pause(cpu, lock, 1, round++);", "pause(cpu, lock, 1, IRQ_OFF | round++);"],
      [
        "} while (atomic.load<u32>(lock) != 0 || atomic.cmpxchg<u32>(lock, 0, 1) != 0);",
        "} while (atomic.load<u32>(lock) != 0 || atomic.cmpxchg<u32>(lock, 0, 1) != 0);\n  irqOn(cpu);",
      ],
    ),
    scenario: "upgrade-upgrade",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["deadlock", "livelock", "order"],
  },
  {
    name: "split-unlocked",
    about: "munmap does not wait for the faults that hold the lock of its VMA",
    patches: inFile("mm/mapping.ts", ["lockAll(cpu, oldRoot, first, last);", ""]),
    scenario: "fault-split",
    long: true,
    policy: Policy.VmaLock,
    // The fault finds its VMA detached for as long as it holds the lock: for ever.
    caughtBy: ["livelock", "deadlock", "rest"],
  },
  {
    name: "merge-unlocked",
    about: "mprotect replaces a VMA whose lock a fault holds",
    patches: inFile("mm/replace.ts", ["vmaStartWrite(cpu, left);", ""]),
    scenario: "fault-merge",
    long: true,
    policy: Policy.VmaLock,
    caughtBy: ["livelock", "deadlock", "rest"],
  },
  {
    name: "extension-unlocked",
    about: "mmap replaces a VMA whose lock a fault holds",
    patches: inFile("mm/mapping.ts", ["vmaStartWrite(cpu, left);", ""]),
    scenario: "fault-extend",
    long: true,
    policy: Policy.VmaLock,
    // The fault finds its VMA detached for as long as it holds the lock: for ever.
    caughtBy: ["livelock", "deadlock", "rest"],
  },
  {
    name: "growth-unlocked",
    about: "a stack grows while a fault holds its lock",
    patches: inFile("mm/mapping.ts", ["vmaStartWrite(cpu, vma);", ""]),
    scenario: "stack-fault",
    long: true,
    policy: Policy.VmaRefcount,
    caughtBy: ["livelock", "deadlock", "rest"],
  },
  VMA_FREED_AT_ONCE,
  ...also(VMA_FREED_AT_ONCE, {
    scenario: "sequence-wrap",
    policy: Policy.VmaRefcount,
    name: "vma-freed-at-once-refcount",
  }),
  {
    name: "detached-locked",
    about: "a fault keeps the lock of a VMA that left the tree before it had it",
    patches: inFile("mm/faultVmaLock.ts", [
      "if (start == <u32>Start.Locked && isDetached(vma)) {",
      "if (start == <u32>Start.Locked && vma == 0) {",
    ]),
    scenario: "fault-munmap-one",
    long: true,
    policy: Policy.VmaLock,
    caughtBy: ["livelock", "deadlock", "rest"],
  },
];
