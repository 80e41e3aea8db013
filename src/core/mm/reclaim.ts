/**
 * The last resort before a fault finds no frame: frames may sit in records that wait for a grace period.
 * Waits for one grace period and frees what it releases. Outside every reader section and lock; a true answer means
 * that memory came back and the fault may be tried again.
 */

import { pause } from "../sync/env";
import { answerIpis } from "../sync/ipi";
import { RCU } from "../sync/layout";
import { deferredCount, quiesce } from "../sync/rcu";
import { pushGracePeriod, runReady } from "./deferred";
import { freeFrames } from "./frame";

const ROUNDS: u32 = 400;

export function reclaim(cpu: usize): bool {
  for (let round: u32 = 0; round < ROUNDS; round++) {
    answerIpis(cpu);
    quiesce(cpu);
    pushGracePeriod(cpu);
    runReady(cpu);
    if (freeFrames() != 0) return true;
    if (deferredCount(cpu) == 0) return false;
    pause(cpu, RCU + 4, atomic.load<u32>(RCU + 4), round);
  }
  return false;
}
