/** Copies by a CPU outside the cpumask. */
import { Policy, Tables } from "../../core/abi/mman.js";
import { also, inFile, type Twin } from "./twin.js";

const REMOTE_UNLOCKED: Twin = {
  name: "remote-unlocked",
  about: "a remote copy walks in a reader section and takes no lock: the page is freed, and another's, while it copies",
  patches: inFile(
    "mm/remote.ts",
    [
      "if (leaf != 0 && lockWalked(cpu, leaf, va, 0)) copied = copyAndUnlock(cpu, leaf, va, host, n, access);",
      "if (leaf != 0) copied = copyAndUnlock(cpu, leaf, va, host, n, access);",
    ],
    ["unlockTable(cpu, leaf);", ""],
  ),
  scenario: "remote-munmap",
  policy: Policy.Optimistic,
  caughtBy: ["freed", "results", "race", "record"],
};

export const REMOTE_TWINS: readonly Twin[] = [
  REMOTE_UNLOCKED,
  ...also(REMOTE_UNLOCKED, { scenario: "remote-write-munmap" }, { scenario: "remote-dontneed" }),
  {
    name: "remote-walks-with-irq-off",
    about: "under irq a remote copy trusts interrupts off, which hold up no round of IPIs that does not come to it",
    patches: inFile("mm/remote.ts", ["if (tablesIrq()) return copyUnderMmapLock(cpu, va, host, n, access);", ""]),
    scenario: "remote-munmap",
    long: true,
    policy: Policy.Optimistic,
    tables: Tables.Irq,
    caughtBy: ["freed", "race", "record"],
  },
  {
    name: "remote-translation-kept",
    about: "what a remote fault brought in stays in a TLB that no shootdown reaches",
    patches: inFile("mm/remote.ts", ["tlbFlushRange(cpu, va & PAGE, (va & PAGE) + 4096);", ""]),
    scenario: "remote-fault",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["rest"],
  },
  {
    name: "remote-right-assumed",
    about: "a remote copy writes what is there, writable or not",
    patches: inFile("mm/remote.ts", ["if (!allows(entry, access)) return 0;", "if (entry == 0) return 0;"]),
    scenario: "remote-mprotect",
    long: true,
    policy: Policy.Optimistic,
    caughtBy: ["results"],
  },
];
