/**
 * The end of a call from the host side: takes interrupts, becomes quiescent if asked, pushes deferred work on.
 * Returns the pending bits that concern the thread.
 */
import { deferredCount } from "../sync/rcu";
import { poll } from "../sync/poll";
import { pushGracePeriod, runReady } from "./deferred";

export function kernelExit(cpu: usize): u32 {
  return poll(cpu);
}

/** Waits for nothing: pushes grace periods and frees what is ready until no record is left, or `rounds` is used up. */
export function settle(cpu: usize, rounds: u32): u32 {
  for (let i: u32 = 0; i < rounds && deferredCount(cpu) != 0; i++) {
    pushGracePeriod(cpu);
    poll(cpu);
    runReady(cpu);
  }
  return deferredCount(cpu);
}
