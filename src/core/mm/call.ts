/**
 * The end of a call from the host side: takes interrupts, becomes quiescent if asked, pushes deferred work on.
 * Returns the pending bits that concern the thread.
 */

import { poll } from "../sync/poll";
import { adoptOrphans, deferredCount } from "../sync/rcu";
import { pushGracePeriod, runReady } from "./deferred";

export function kernelExit(cpu: usize): u32 {
  return poll(cpu);
}

/**
 * Waits for nothing: pushes grace periods and frees what is ready until no record is left, those of offline CPUs among
 * them, or `rounds` is used up.
 */
export function settle(cpu: usize, rounds: u32): u32 {
  adoptOrphans(cpu);
  for (let i: u32 = 0; i < rounds && deferredCount(cpu) != 0; i++) {
    pushGracePeriod(cpu);
    poll(cpu);
    runReady(cpu);
  }
  return deferredCount(cpu);
}
