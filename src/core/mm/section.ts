/**
 * The section in which a table that was reached without a lock can not be freed (`--tables`).
 *
 *   rcu   a reader section. Who retires a table defers it to the end of a grace period.
 *   irq   interrupts off. Who retires a table waits until every CPU of the space has answered an IPI after the unlinking,
 *         or is idle, and frees it at once: the flush IPI, when pages were unmapped too, else one for the table alone.
 *
 * Why irq is right
 *   | retire                                 | walker
 *   | clear the parent's entry               | interrupts off
 *   | post the IPI; wait for every CPU       | load the parent's entry; follow it
 *   | free the table                         | interrupts on: answers
 *   The entry was cleared before the request. Who loaded it before that answers only after its last use of the table; who
 *   answers first loads the cleared entry. In the shipping core a CPU answers only at polls, and no section contains one.
 * Never inside   a wait: who waits for a lock answers IPIs. A lock is only tried (walk.ts:lockWalked).
 * VMAs and tree nodes   are RCU's under both: the lookup keeps its reader section.
 */
import { Tables } from "../abi/mman";
import { irqOff, irqOn, rcuEnter, rcuExit } from "../sync/env";
import { tables } from "../sync/layout";

export function tablesIrq(): bool {
  return tables() == <u32>Tables.Irq;
}

export function walkBegin(cpu: usize): void {
  if (tablesIrq()) irqOff(cpu);
  else rcuEnter(cpu);
}

export function walkEnd(cpu: usize): void {
  if (tablesIrq()) irqOn(cpu);
  else rcuExit(cpu);
}
