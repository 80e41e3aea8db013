/**
 * The last resort before a fault finds no frame: frames may sit in records that wait for a grace period, here or on other
 * CPUs, and in the gather lists of unmaps that wait for their shootdown.
 *
 * Promise    a true answer means that memory came back and the fault may be tried again; false that nobody was seen to
 *            hold any back, or that PATIENCE is over.
 * Algorithm  say that memory is short, so that every CPU hands its deferred records over at its next poll; then, round by
 *            round, be quiescent, drive a grace period, free what is ready, and look.
 * Blocks     of page tables (block.ts): the free ones that are kept become frames; or, when it is a block that was not to
 *            be had, a run of frames for one is what is looked for.
 * Order      who holds frames back is read, atomically, before the free lists, which are read under their locks: a frame that
 *            left a gather or a record in between is found free. One that an unmap took from its entry and has not noted
 *            yet is missed: at most one a CPU.
 * Locks      none, in no reader section.
 */
import { cpuArea, cpusSeen } from "../sync/cpu";
import { now, pause } from "../sync/env";
import { answerIpis } from "../sync/ipi";
import { RCU } from "../sync/layout";
import { anyDeferredRacy, memoryShort, quiesce } from "../sync/rcu";
import { dissolveBlocks, prepareBlock } from "./block";
import { pushGracePeriod, runReady } from "./deferred";
import { anyFreeFrame } from "./frame";
import { P_GATHERING, P_NO_BLOCK } from "./percpu";

/** A CPU that must poll may be waiting for a processor: in nanoseconds, and rounds where the clock stands still. */
const PATIENCE_NS: f64 = 2e9;
const ROUNDS: u32 = 400;

export function reclaim(cpu: usize): bool {
  const from = now();
  let found: bool = false;
  memoryShort(true);
  for (let round: u32 = 0; round < ROUNDS || now() - from < PATIENCE_NS; round++) {
    answerIpis(cpu);
    quiesce(cpu);
    pushGracePeriod(cpu);
    runReady(cpu);
    const heldBack = anyDeferredRacy() || anyGatheredRacy();
    found = load<u32>(cpu, P_NO_BLOCK) != 0 ? prepareBlock(cpu) : anyFreeFrame(cpu) || dissolveBlocks(cpu);
    if (found || !heldBack) break;
    pause(cpu, RCU + 4, atomic.load<u32>(RCU + 4), round);
  }
  memoryShort(false);
  store<u32>(cpu, 0, P_NO_BLOCK);
  return found;
}

/** Whether a munmap under way holds frames until its shootdown is done; racy. */
function anyGatheredRacy(): bool {
  const n = cpusSeen();
  for (let i: u32 = 0; i < n; i++) if (atomic.load<u32>(cpuArea(i), P_GATHERING) != 0) return true;
  return false;
}
