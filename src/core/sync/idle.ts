/**
 * Sleeping. An idle CPU is quiescent and nobody waits for its acknowledgement; it pays on the way out.
 *
 *   enter   atomic store idle = 1: the CPU holds no pointer and no translation that it will use again
 *   leave   atomic store idle = 0, then the queued flushes, then anything else (ipi.ts draws the race)
 *
 * A caller holds no lock, is in no reader section, and walks again from the start afterwards.
 */
import { Bug } from "../abi/bug";
import { Pending } from "../abi/pending";
import { bumpEpoch, C_ASLEEP, C_IDLE, C_PENDING, WAKING } from "./cpu";
import { bug, now, waitWord } from "./env";
import { takeFlush } from "./ipi";
import { IRQ_OFF } from "./layout";
import { abandonDeferred } from "./rcu";

/** What the CPU deferred goes to others first: asleep it cannot free it, and they may need the memory. */
export function idleEnter(cpu: usize): void {
  abandonDeferred(cpu);
  atomic.store<u32>(cpu, 1, C_IDLE);
}

export function idleLeave(cpu: usize): void {
  if (atomic.load<u32>(cpu, C_IDLE) == 0) bug(cpu, Bug.idleLeave_cpu_was_not_idle);
  atomic.store<u32>(cpu, 0, C_IDLE);
  if ((atomic.load<u32>(cpu, C_PENDING) & Pending.Flush) != 0) takeFlush(cpu);
  bumpEpoch(cpu);
}

/**
 * Sleeps until the thread is wanted: Kick, Wake, Reply or Stop, all left set for the caller to take.
 * timeoutNs < 0 waits for ever. Returns the waking bits, 0 at the timeout.
 */
export function sleep(cpu: usize, timeoutNs: i64): u32 {
  idleEnter(cpu);
  const deadline = timeoutNs < 0 ? 0.0 : now() + <f64>timeoutNs;
  let left = timeoutNs;
  atomic.store<u32>(cpu, 1, C_ASLEEP);
  let seen = atomic.load<u32>(cpu, C_PENDING);
  while ((seen & WAKING) == 0) {
    waitWord(cpu + C_PENDING, seen, left);
    seen = atomic.load<u32>(cpu, C_PENDING);
    if (timeoutNs >= 0 && (seen & WAKING) == 0) {
      left = <i64>(deadline - now());
      if (left <= 0) break;
    }
  }
  atomic.store<u32>(cpu, 0, C_ASLEEP);
  idleLeave(cpu);
  return seen & WAKING;
}

/** Sleeps, idle, on a lock word that was `seen`; its releaser notifies. Comes back early for no reason at times. */
export function idleWaitWord(cpu: usize, addr: usize, seen: u32): void {
  idleEnter(cpu);
  waitWord(addr, seen, 10_000_000);
  idleLeave(cpu);
}

/**
 * The run engine's pause(): spins through the first rounds, then sleeps on the own pending word for at most 100 µs.
 * A poster publishes before it reads `asleep`, so an IPI that arrives while we fall asleep is not slept through.
 */
export function pauseRun(cpu: usize, addr: usize, seen: u32, round: u32): void {
  const heed: u32 = (round & IRQ_OFF) != 0 ? 0 : Pending.Flush | Pending.Ack;
  if ((round & ~IRQ_OFF) < 40) {
    for (let i = 0; i < 24; i++) {
      if (atomic.load<u32>(addr) != seen || (atomic.load<u32>(cpu, C_PENDING) & heed) != 0) return;
    }
    return;
  }
  atomic.store<u32>(cpu, 1, C_ASLEEP);
  const pending = atomic.load<u32>(cpu, C_PENDING);
  if ((pending & heed) == 0 && atomic.load<u32>(addr) == seen) {
    waitWord(cpu + C_PENDING, pending, 100_000);
  }
  atomic.store<u32>(cpu, 0, C_ASLEEP);
}
