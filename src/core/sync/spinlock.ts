/**
 * The spin lock of short critical sections: a page table's entries, the allocator, a slab.
 *
 *   0 free, 1 held. Taken by compare-and-swap: everything the last holder stored is visible to the next.
 *   Released by an atomic store, which publishes what the holder did.
 *
 * A waiter answers IPIs (the holder of a table lock may be waiting for this CPU's acknowledgement), keeps its reader
 * section, and is not quiescent. It spins for a while and then sleeps in pause(): no wait is a spin alone.
 */
import { pause } from "./env";
import { answerIpis } from "./ipi";
import { IRQ_OFF } from "./layout";

export function tryLock(lock: usize): bool {
  return atomic.cmpxchg<u32>(lock, 0, 1) == 0;
}

/** Takes the lock; returns the rounds waited, 0 when it was free. Interrupts on. */
export function lock(cpu: usize, lock: usize): u32 {
  if (atomic.cmpxchg<u32>(lock, 0, 1) == 0) return 0;
  return lockSlow(cpu, lock);
}

function lockSlow(cpu: usize, lock: usize): u32 {
  let round: u32 = 0;
  do {
    answerIpis(cpu);
    pause(cpu, lock, 1, round++);
  } while (atomic.load<u32>(lock) != 0 || atomic.cmpxchg<u32>(lock, 0, 1) != 0);
  return round;
}

/** Takes a lock that is only ever held with interrupts off, for a few instructions: the waiter takes no IPI either. */
export function lockIrqOff(cpu: usize, lock: usize): void {
  let round: u32 = 0;
  while (atomic.cmpxchg<u32>(lock, 0, 1) != 0) pause(cpu, lock, 1, IRQ_OFF | round++);
}

export function unlock(lock: usize): void {
  atomic.store<u32>(lock, 0);
}

export function isLocked(lock: usize): bool {
  return atomic.load<u32>(lock) != 0;
}
