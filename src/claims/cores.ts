/**
 * Cores that a claim compares with the one that ships: it, with a line or two changed, as the twins are made.
 *
 *   pretouch-read   the entry is read once more right before the table's lock is taken: "read A, take L, read A"
 *   pretouch-own    the same by a compare-and-swap that fails: the line comes for writing
 *   spf-spins       the speculative fault waits for the table's lock where the patchset tries once and gives up
 *   remote-irq      a remote copy trusts interrupts off; right only for a CPU that has joined the cpumask
 */
import { inFile, type Patch } from "../check/twins/twin.js";

export type CoreName = "pretouch-read" | "pretouch-own" | "spf-spins" | "remote-irq";

/** An entry is never 1: that is a pointer to the table in frame 0. */
const NO_ENTRY = "1";

export const CORES: Readonly<Record<CoreName, readonly Patch[]>> = {
  "pretouch-read": beforeTheLock("atomic.load<u64>(entryAt(leaf, va, 0));"),
  "pretouch-own": beforeTheLock(`atomic.cmpxchg<u64>(entryAt(leaf, va, 0), ${NO_ENTRY}, ${NO_ENTRY});`),
  "spf-spins": inFile(
    "mm/faultSpf.ts",
    ['import { tryLockTable, unlockTable } from "./table";', 'import { lockTable, unlockTable } from "./table";'],
    ["if (!tryLockTable(leaf)) return Counter.SpfAbortPteMapLockPtl;", "lockTable(cpu, leaf);"],
  ),
  "remote-irq": inFile("mm/remote.ts", ["if (tablesIrq()) return copyUnderMmapLock(cpu, va, host, n, access);", ""]),
};

function beforeTheLock(line: string): readonly Patch[] {
  return inFile("mm/commit.ts", [
    "if (!lockWalked(cpu, leaf, va, 0)) return Outcome.RetryDead;",
    `${line}\n  if (!lockWalked(cpu, leaf, va, 0)) return Outcome.RetryDead;`,
  ]);
}
