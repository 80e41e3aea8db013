/**
 * Cores that a claim compares with the one that ships: it, with a line or two changed, as the twins are made.
 *
 *   spf-spins       the speculative fault waits for the table's lock where the patchset tries once and gives up
 *   remote-irq      a remote copy trusts interrupts off; right only for a CPU that has joined the cpumask
 */
import { inFile, type Patch } from "../check/twins/twin.js";

export type CoreName = "spf-spins" | "remote-irq";

export const CORES: Readonly<Record<CoreName, readonly Patch[]>> = {
  "spf-spins": inFile(
    "mm/faultSpf.ts",
    ['import { tryLockTable, unlockTable } from "./table";', 'import { lockTable, unlockTable } from "./table";'],
    ["if (!tryLockTable(leaf)) return Counter.SpfAbortPteMapLockPtl;", "lockTable(cpu, leaf);"],
  ),
  "remote-irq": inFile("mm/remote.ts", ["if (tablesIrq()) return copyUnderMmapLock(cpu, va, host, n, access);", ""]),
};
