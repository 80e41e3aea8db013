/** Shootdowns: what may be freed when, who must answer, and the words that idle CPUs and senders exchange. */
import { Policy } from "../../core/abi/mman.js";
import { also, inFile, type Twin } from "./twin.js";

const FILL_INTERRUPTIBLE: Twin = {
  name: "fill-interruptible",
  about: "an entry goes from table to TLB with interrupts on: a flush acknowledged in between is undone",
  patches: inFile("mm/fill.ts", ["irqOff(cpu);", ""], ["irqOn(cpu);", ""]),
  scenario: "fault-remap",
  policy: Policy.Optimistic,
  // A copy through the stale translation; a stale translation found at rest; or the old page's byte read from the new.
  caughtBy: ["freed", "rest", "results", "race", "record"],
};

const ZERO_PAGE_UNFLUSHED: Twin = {
  name: "zero-page-unflushed",
  about: "the zero page is replaced without a shootdown: a hart goes on reading zero",
  patches: inFile("mm/cow.ts", ["if ((old & PTE_A) != 0 && (old & PTE_V) != 0) shootPage(cpu, va & PAGE_BASE);", ""]),
  scenario: "zero-page-upgrade",
  policy: Policy.MmapLock,
  caughtBy: ["rest", "results"],
};

const FLUSH_FORGOTTEN: Twin = {
  name: "flush-forgotten",
  about: "frames are freed without a shootdown",
  patches: inFile("mm/gather.ts", [
    "if (end != 0) shootRange(cpu, load<u64>(cpu, P_GATHER_START), end);",
    "if (end == 1) shootRange(cpu, load<u64>(cpu, P_GATHER_START), end);",
  ]),
  scenario: "write-dontneed",
  long: true,
  policy: Policy.Optimistic,
  caughtBy: ["freed", "rest", "results", "race", "record"],
};

const RIGHTS_UNFLUSHED: Twin = {
  name: "rights-unflushed",
  about: "mprotect takes a right from the entry and not from the TLBs",
  patches: inFile("mm/mprotect.ts", [
    "if ((seen & PTE_RIGHTS & ~entry & ~PTE_HELD) != 0) gatherPage(cpu, page, 0);",
    "",
  ]),
  scenario: "write-mprotect",
  long: true,
  policy: Policy.Optimistic,
  caughtBy: ["rest", "results"],
};

const COPY_INTERRUPTIBLE: Twin = {
  name: "copy-interruptible",
  about: "a copy goes on through a translation that it had before it answered a flush",
  patches: inFile(
    "mm/uaccess.ts",
    [
      "if (access == Access.Write) memory.copy(phys, host + done, n);",
      "irqOn(cpu);\n    if (access == Access.Write) memory.copy(phys, host + done, n);",
    ],
    ["else memory.copy(host + done, phys, n);", "else memory.copy(host + done, phys, n);\n    irqOff(cpu);"],
  ),
  scenario: "write-dontneed",
  long: true,
  policy: Policy.Optimistic,
  caughtBy: ["freed", "results", "race", "record"],
};

const SENDER_DEAF: Twin = {
  name: "sender-deaf",
  about: "who waits for acknowledgements answers none itself: two senders wait for each other",
  patches: [
    ...inFile(
      "mm/shootdown.ts",
      [
        'import { interrupt, requestFlush, waitFlush } from "../sync/ipi";',
        'import { irqOff, irqOn } from "../sync/env";\nimport { interrupt, requestFlush, waitFlush } from "../sync/ipi";',
      ],
      [
        "waitFlush(cpu, cpuArea((word << 6) + bit), load<u32>(cpu + C_TICKETS + ((<usize>bit) << 2)));",
        "irqOff(cpu);\n    waitFlush(cpu, cpuArea((word << 6) + bit), load<u32>(cpu + C_TICKETS + ((<usize>bit) << 2)));\n    irqOn(cpu);",
      ],
    ),
    ...inFile(
      "sync/ipi.ts",
      ["answerIpis(cpu);", ""],
      [
        "pause(cpu, target + C_FLUSH_DONE, seen, round++);",
        "pause(cpu, target + C_FLUSH_DONE, seen, 0x8000_0000 | round++);",
      ],
    ),
  ],
  long: true,
  scenario: "crossing-munmap",
  policy: Policy.Optimistic,
  caughtBy: ["deadlock", "livelock", "order"],
};

const LEAVER_AWAITED: Twin = {
  name: "leaver-awaited",
  about: "a sender waits for the acknowledgement of a CPU that went offline",
  patches: inFile(
    "sync/ipi.ts",
    ["if (atomic.load<u32>(target, C_IDLE) != 0) return false;", ""],
    [
      "return <i32>(atomic.load<u32>(target, C_FLUSH_DONE) - ticket) >= 0 || atomic.load<u32>(target, C_IDLE) != 0;",
      "return <i32>(atomic.load<u32>(target, C_FLUSH_DONE) - ticket) >= 0;",
    ],
  ),
  scenario: "leave-shootdown",
  long: true,
  policy: Policy.Optimistic,
  caughtBy: ["deadlock", "livelock", "order"],
};

export const FLUSH_TWINS: readonly Twin[] = [
  FILL_INTERRUPTIBLE,
  ...also(FILL_INTERRUPTIBLE, { scenario: "irq-walk" }),
  ZERO_PAGE_UNFLUSHED,
  ...also(ZERO_PAGE_UNFLUSHED, { scenario: "upgrade-read", policy: Policy.Optimistic }),
  {
    name: "flush-unacknowledged",
    about: "a CPU flushes and never says so: the sender waits for ever",
    patches: inFile("sync/ipi.ts", ["atomic.store<u32>(cpu, load<u32>(cpu, C_FLUSH_REQ), C_FLUSH_DONE);", ""]),
    scenario: "fault-munmap",
    policy: Policy.Optimistic,
    caughtBy: ["deadlock"],
  },
  FLUSH_FORGOTTEN,
  ...also(
    FLUSH_FORGOTTEN,
    { scenario: "fault-dontneed" },
    { scenario: "cross-page-dontneed" },
    { scenario: "fault-munmap-table" },
    { scenario: "three-tables" },
  ),
  RIGHTS_UNFLUSHED,
  ...also(
    RIGHTS_UNFLUSHED,
    { scenario: "fault-mprotect" },
    { scenario: "cross-page" },
    { scenario: "dontneed-mprotect" },
    { scenario: "cow-mprotect" },
  ),
  COPY_INTERRUPTIBLE,
  ...also(COPY_INTERRUPTIBLE, { scenario: "cross-page-dontneed" }),
  SENDER_DEAF,
  ...also(SENDER_DEAF, { scenario: "crossing-dontneed" }),
  LEAVER_AWAITED,
  ...also(LEAVER_AWAITED, { scenario: "leave" }),
  {
    name: "wake-unflushed",
    about: "a CPU leaves idle without the flushes that were asked of it",
    patches: inFile("sync/idle.ts", [
      "if ((atomic.load<u32>(cpu, C_PENDING) & Pending.Flush) != 0) takeFlush(cpu);",
      "",
    ]),
    scenario: "sleep-shootdown",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["freed", "rest", "results", "race", "record"],
  },
  {
    name: "awake-late",
    about: "a CPU that leaves idle looks for flushes first and says that it is awake second",
    patches: inFile(
      "sync/idle.ts",
      ["atomic.store<u32>(cpu, 0, C_IDLE);", ""],
      ["bumpEpoch(cpu);", "bumpEpoch(cpu);\n  atomic.store<u32>(cpu, 0, C_IDLE);"],
    ),
    scenario: "sleep-shootdown",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["freed", "rest", "results", "race", "record"],
  },
  {
    name: "wake-lost",
    about: "who wakes a CPU looks whether it sleeps before it says why it should not",
    patches: inFile(
      "sync/cpu.ts",
      [
        "atomic.or<u32>(target, bits, C_PENDING);",
        "const asleep = atomic.load<u32>(target, C_ASLEEP);\n  atomic.or<u32>(target, bits, C_PENDING);",
      ],
      [
        "if (atomic.load<u32>(target, C_ASLEEP) != 0) atomic.notify(target, 1);",
        "if (asleep != 0) atomic.notify(target, 1);",
      ],
    ),
    scenario: "sleep-shootdown",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["deadlock"],
  },
  {
    name: "join-unseen",
    about: "a CPU fills its TLB without having joined the cpumask",
    patches: inFile("mm/lifecycle.ts", [
      "atomic.or<u64>(spaceOf(cpu) + S_CPUMASK + ((<usize>(id >> 6)) << 3), u64(1) << u64(id & 63));",
      "",
    ]),
    scenario: "join-shootdown",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["freed", "rest", "results", "race", "record"],
  },
  {
    name: "overflow-forgotten",
    about: "ranges are queued past the end of the queue, over the mask of who asked",
    patches: inFile("sync/ipi.ts", ["if (n < FLUSH_RANGES) {", "if (n < 1000) {"]),
    scenario: "sleep-shootdowns",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["freed", "rest", "results", "race", "record"],
  },
  {
    name: "leave-in-two",
    about: "a CPU that leaves writes the cpumask back as it read it: who joins meanwhile is not in it",
    patches: inFile("mm/lifecycle.ts", [
      "const old = atomic.and<u64>(spaceOf(cpu) + S_CPUMASK + ((<usize>(id >> 6)) << 3), ~bit);",
      "const old = atomic.load<u64>(spaceOf(cpu), S_CPUMASK); atomic.store<u64>(spaceOf(cpu), old & ~bit, S_CPUMASK);",
    ]),
    scenario: "join-leave",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["freed", "rest", "results", "race", "record"],
  },
];
