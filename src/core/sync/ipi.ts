/**
 * TLB-flush interrupts between CPUs.
 *
 * Promise    when waitFlush returns, no CPU that was online uses a translation of the range it read before the request.
 * Algorithm  sender: under the target's flushLock append the range (or overflow to "everything"), take a ticket, set the
 *            sender's bit; post Flush; then read `idle`. Wait until flushDone reaches the ticket or the target is idle.
 *            target: at a poll, under its own flushLock empty the queue and flush; store flushDone; wake the senders.
 * Race       | sender                         | target
 *            | queue the range, post          | store idle = 0
 *            | read idle                      | read pending, flush
 *            Each publishes, then reads the other: either the sender sees it awake and waits, or the target sees the
 *            request before it reads any memory through the TLB.
 * Locks      flushLock with interrupts off, never two at once: a handler takes its own CPU's lock, and a sender that
 *            could be interrupted while it holds another's might wait for itself in a circle.
 * Waiting    a waiting sender answers its own IPIs, so crossing shootdowns end; it may hold mmapLock and table locks,
 *            because a spinner on either answers IPIs too, and sleepers on mmapLock are idle.
 */
import { Pending } from "../abi/pending";
import {
  bumpEpoch,
  C_ASLEEP,
  C_FLUSH_COUNT,
  C_FLUSH_DONE,
  C_FLUSH_LOCK,
  C_FLUSH_RANGES,
  C_FLUSH_REQ,
  C_FLUSH_SENDERS,
  C_IDLE,
  C_PENDING,
  cpuArea,
  cpuId,
  FLUSH_RANGES,
  post,
} from "./cpu";
import { irqOff, irqOn, pause } from "./env";
import { cpuCount } from "./layout";
import { lockIrqOff, unlock } from "./spinlock";
import { tlbFlushAll, tlbFlushRange } from "./tlb";

/** Asks `target` to forget [start, end); returns the ticket that flushDone must reach. */
export function requestFlush(cpu: usize, target: usize, start: u64, end: u64): u32 {
  irqOff(cpu);
  lockIrqOff(cpu, target + C_FLUSH_LOCK);
  const n = load<u32>(target, C_FLUSH_COUNT);
  if (n < FLUSH_RANGES) {
    const slot = target + C_FLUSH_RANGES + ((<usize>n) << 4);
    store<u64>(slot, start);
    store<u64>(slot, end, 8);
  }
  store<u32>(target, n + 1, C_FLUSH_COUNT);
  const id = cpuId(cpu);
  const word = target + C_FLUSH_SENDERS + ((<usize>(id >> 6)) << 3);
  store<u64>(word, load<u64>(word) | (u64(1) << u64(id & 63)));
  const ticket = load<u32>(target, C_FLUSH_REQ) + 1;
  store<u32>(target, ticket, C_FLUSH_REQ);
  unlock(target + C_FLUSH_LOCK);
  irqOn(cpu);
  atomic.or<u32>(target, Pending.Flush, C_PENDING);
  return ticket;
}

/** Wakes `target` for a flush request unless it is idle; true when its acknowledgement must be waited for. */
export function interrupt(target: usize): bool {
  if (atomic.load<u32>(target, C_IDLE) != 0) return false;
  if (atomic.load<u32>(target, C_ASLEEP) != 0) atomic.notify(target, 1);
  return true;
}

function acknowledged(target: usize, ticket: u32): bool {
  return <i32>(atomic.load<u32>(target, C_FLUSH_DONE) - ticket) >= 0 || atomic.load<u32>(target, C_IDLE) != 0;
}

/** Waits for `target` to have flushed up to `ticket`, or to be idle (it will flush before it reads anything). */
export function waitFlush(cpu: usize, target: usize, ticket: u32): void {
  let round: u32 = 0;
  while (!acknowledged(target, ticket)) {
    answerIpis(cpu);
    atomic.and<u32>(cpu, ~(<u32>Pending.Ack), C_PENDING);
    const seen = atomic.load<u32>(target, C_FLUSH_DONE);
    if (acknowledged(target, ticket)) return;
    pause(cpu, target + C_FLUSH_DONE, seen, round++);
  }
}

/** Takes the flush IPI if one is pending. Interrupts must be on: no entry read may be on its way into the TLB. */
export function answerIpis(cpu: usize): void {
  if ((atomic.load<u32>(cpu, C_PENDING) & Pending.Flush) != 0) takeFlush(cpu);
}

/** The handler: flushes what is queued, acknowledges, wakes the senders. */
export function takeFlush(cpu: usize): void {
  atomic.and<u32>(cpu, ~(<u32>Pending.Flush), C_PENDING);
  irqOff(cpu);
  lockIrqOff(cpu, cpu + C_FLUSH_LOCK);
  const n = load<u32>(cpu, C_FLUSH_COUNT);
  if (n > FLUSH_RANGES) {
    tlbFlushAll(cpu);
  } else {
    for (let i: u32 = 0; i < n; i++) {
      const slot = cpu + C_FLUSH_RANGES + ((<usize>i) << 4);
      tlbFlushRange(cpu, load<u64>(slot), load<u64>(slot, 8));
    }
  }
  store<u32>(cpu, 0, C_FLUSH_COUNT);
  bumpEpoch(cpu);
  atomic.store<u32>(cpu, load<u32>(cpu, C_FLUSH_REQ), C_FLUSH_DONE);
  const words = (cpuCount() + 63) >> 6;
  for (let w: u32 = 0; w < words; w++) {
    const word = cpu + C_FLUSH_SENDERS + ((<usize>w) << 3);
    let bits = load<u64>(word);
    if (bits == 0) continue;
    store<u64>(word, 0);
    while (bits != 0) {
      post(cpuArea((w << 6) + <u32>ctz<u64>(bits)), Pending.Ack);
      bits &= bits - 1;
    }
  }
  unlock(cpu + C_FLUSH_LOCK);
  irqOn(cpu);
}
