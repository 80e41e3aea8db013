/**
 * Which walker may be paired with which freer of page tables: check-only mixtures of the protections of core/mm/section.ts,
 * as patches. The shipping core holds two of the nine (irq with ipi, rcu with rcu) and none of the rest.
 *
 *   walker   irq   interrupts off for the walk             freer   ipi   frees after a round of IPIs to the cpumask
 *            rcu   a reader section                                rcu   defers to the end of a grace period
 *            none  nothing                                         now   frees at the unlinking, before the flush
 *
 * One build holds all nine: the number that boot() is given for the protection is read as 3 × walker + freer.
 */
import { Policy, type Tables } from "../core/abi/mman.js";
import { inFile, type Patch } from "./twins/twin.js";

export const WALKERS = ["irq", "rcu", "none"] as const;
export const FREERS = ["ipi", "rcu", "now"] as const;
export type Walker = (typeof WALKERS)[number];
export type Freer = (typeof FREERS)[number];

/** What boot() of a build with MIXTURE_PATCHES takes for the protection. */
export function mixtureTables(walker: Walker, freer: Freer): Tables {
  return 3 * WALKERS.indexOf(walker) + FREERS.indexOf(freer);
}

export const MIXTURE_PATCHES: readonly Patch[] = [
  ...inFile("mm/boot.ts", [
    "if (policy > <u32>Policy.VmaRefcount || tables > <u32>Tables.Irq) return -Errno.EINVAL;",
    "if (policy > <u32>Policy.VmaRefcount || tables > 8) return -Errno.EINVAL;",
  ]),
  ...inFile(
    "mm/section.ts",
    ["return tables() == <u32>Tables.Irq;", "return tables() / 3 == 0;"],
    ["else rcuEnter(cpu);", "else if (tables() / 3 == 1) rcuEnter(cpu);"],
    ["else rcuExit(cpu);", "else if (tables() / 3 == 1) rcuExit(cpu);"],
    [
      "export function walkBegin(cpu: usize): void {",
      "export function freer(): u32 {\n  return tables() % 3;\n}\n\nexport function walkBegin(cpu: usize): void {",
    ],
  ),
  ...inFile(
    "mm/retire.ts",
    ['import { tablesIrq } from "./section";', 'import { freer } from "./section";'],
    [
      'import { addUsedLocked, deferTable, lockTable, markDeadLocked, unlockTable, usedLocked } from "./table";',
      'import { addUsedLocked, deferTable, freeTable, lockTable, markDeadLocked, unlockTable, usedLocked } from "./table";',
    ],
    ["if (tablesIrq()) gatherTable(cpu, table);", "if (freer() == 0) gatherTable(cpu, table);"],
    ["else deferTable(cpu, table);", "else if (freer() == 1) deferTable(cpu, table);\n  else freeTable(cpu, table);"],
  ),
];

/**
 * Whether the pairing is safe: each walk without a lock must be kept by something that the freer waits for.
 *
 *   walk of     kept by the walker's section, and by            because
 *   TLB fill    interrupts off                                  entry read → TLB entry, under every protection
 *   optimistic  a reader section                                the VMA's
 *   spf         nothing else                                    the VMA's section ends before the walk
 *   others      a lock                                          mmapLock, or the VMA's
 */
export function isSafe(policy: Policy, walker: Walker, freer: Freer, irqIsReader: boolean): boolean {
  const walks: Walker[][] = [["irq", walker]];
  if (policy === Policy.Optimistic) walks.push(["rcu", walker]);
  if (policy === Policy.Spf) walks.push([walker]);
  if (freer === "now") return false;
  if (freer === "ipi") return walks.every((kept) => kept.includes("irq"));
  return walks.every((kept) => kept.includes("rcu") || (kept.includes("irq") && irqIsReader));
}
