/** The traps of the 2021 patchset that can exist here: docs/checking.md gives their numbers. */
import { Policy, Tables } from "../../core/abi/mman.js";
import { also, inFile, type Twin } from "./twin.js";

const spf = { policy: Policy.Spf, long: true } as const;

const SEQUENCE_OF_TWO_BITS: Twin = {
  ...spf,
  name: "sequence-of-two-bits",
  about: "the count is so narrow that two changes of the map bring it round",
  patches: inFile("mm/faultSpf.ts", [
    "return atomic.load<u32>(spaceOf(cpu), S_SEQ) == seq;",
    "return ((atomic.load<u32>(spaceOf(cpu), S_SEQ) ^ seq) & 3) == 0;",
  ]),
  scenario: "sequence-wrap",
  long: false,
  caughtBy: ["rest", "results"],
};

const ABORT_KEEPS_FRAME: Twin = {
  ...spf,
  name: "abort-keeps-frame",
  about: "a fault that aborts at the commit keeps the frame it had prepared",
  patches: inFile("mm/faultSpf.ts", [
    "else if (frame != 0) putPage(cpu, frame);",
    "else if (frame != 0 && locked) putPage(cpu, frame);",
  ]),
  scenario: "fault-munmap-one",
  caughtBy: ["rest"],
};

export const SPF_TWINS: readonly Twin[] = [
  SEQUENCE_OF_TWO_BITS,
  {
    ...spf,
    name: "checked-outside-its-section",
    about: "the count is compared before the section begins in which the table is followed",
    patches: inFile("mm/faultSpf.ts", [
      "if (!still(cpu, seq)) return Counter.SpfAbortPteMapLockSeq1;",
      "walkEnd(cpu);\n  const same = still(cpu, seq);\n  walkBegin(cpu);\n  if (!same) return Counter.SpfAbortPteMapLockSeq1;",
    ]),
    scenario: "write-grace-period",
    seeds: 40_000,
    caughtBy: ["freed", "rest", "bug", "race", "record"],
  },
  {
    ...spf,
    name: "second-look-skipped",
    about: "the count is not compared again once the table is locked",
    patches: inFile("mm/faultSpf.ts", ["if (still(cpu, seq)) return 0;", "return 0;"]),
    scenario: "fault-munmap-one",
    caughtBy: ["rest", "results"],
  },
  {
    ...spf,
    name: "blocks-in-its-section",
    about: "a fault waits for the table's lock with interrupts off: the holder waits for its acknowledgement",
    patches: inFile(
      "mm/faultSpf.ts",
      [
        'import { tryLockTable, unlockTable } from "./table";',
        'import { pause } from "../sync/env";\nimport { D_LOCK, descriptor } from "./frame";\nimport { tryLockTable, unlockTable } from "./table";',
      ],
      [
        "if (!tryLockTable(leaf)) return Counter.SpfAbortPteMapLockPtl;",
        "while (!tryLockTable(leaf)) pause(cpu, descriptor(leaf) + D_LOCK, 1, 0x8000_0000);",
      ],
    ),
    scenario: "upgrade-upgrade",
    tables: Tables.Irq,
    caughtBy: ["deadlock", "livelock", "order"],
  },
  {
    ...spf,
    name: "slot-read-outside",
    about: "the entry is read after the section that kept its table has ended",
    patches: inFile("mm/faultSpf.ts", [
      "const seen = atomic.load<u64>(slot);",
      "walkEnd(cpu);\n  const seen = atomic.load<u64>(slot);\n  walkBegin(cpu);",
    ]),
    scenario: "walk-grace-period",
    caughtBy: ["freed", "race", "record"],
  },
  {
    ...spf,
    name: "sequence-trusted",
    about: "the count alone is trusted: MADV_DONTNEED, which does not step it, took the entry away",
    patches: inFile("mm/faultSpf.ts", [
      "if (atomic.load<u64>(slot) == seen && (isZeroFrame(seen) || !isSolePage(ptePhys(seen)))) {",
      "if (isZeroFrame(seen) || !isSolePage(ptePhys(seen))) {",
    ]),
    scenario: "upgrade-dontneed",
    caughtBy: ["rest", "results", "bug"],
  },
  {
    ...spf,
    name: "odd-unnoticed",
    about: "a fault begins while the map is being changed, and finds the count the same within that change",
    patches: inFile("mm/faultSpf.ts", ["if ((seq & 1) != 0) return abort(cpu, Counter.SpfAbortOdd);", ""]),
    scenario: "fault-mprotect-one",
    caughtBy: ["rest", "results"],
  },
  ABORT_KEEPS_FRAME,
  ...also(ABORT_KEEPS_FRAME, { scenario: "sequence-wrap" }),
];
