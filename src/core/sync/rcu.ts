/**
 * Read-copy-update: what a lock-free reader may still be looking at is freed only after a grace period.
 *
 * Problem    walkers hold no lock; a table, VMA or tree node that was unlinked may still be in their hands.
 * Idea       readers pay nothing. A CPU is quiescent when it polls at a guest block boundary or at kernel exit, or is
 *            idle. A grace period ends when every CPU has been quiescent once since it began.
 * Records    begin with {next:u32, gp:u32, kind:u32}: each CPU keeps its own in a list, oldest first.
 * Algorithm  defer: tag with started + 1, the first period that begins after the unlink.
 *            advance: one driver at a time (try lock). None running: started += 1, then ask every awake CPU for a
 *            quiescent state. Running: if each CPU is idle or has qs >= started, completed = started.
 *            ready: records whose gp <= completed.
 * Why right  a reader that could see the record began before the unlink, so before `started` became the tag. Its CPU
 *            stores qs only in a poll, which no reader section contains; the driver reads that store, or idle = 1,
 *            after the period began. A reader that starts later starts after the unlink.
 *            qs is the number the poll *read* from `started`: a period that begins after the read is not credited.
 * Race       | driver                        | CPU leaving idle
 *            | started += 1; read idle (1)   | store idle = 0; read the tree root
 *            idle was read as 1 after the unlink, so the CPU's later reads see the unlink.
 *
 *   started    u32 atomic. written by the driver under rcu.lock;  peek: defer, poll.  wraps: compared as a difference
 *   completed  u32 atomic. written by the driver under rcu.lock;  peek: ready
 *   a CPU's list  private to it, changed with interrupts off: a poll may hand it over. The count is an atomic store, for who
 *              peeks whether anybody keeps records (reclaim.ts)
 *   lock       try lock: who does not get it leaves the work to who has it
 */
import { Pending } from "../abi/pending";
import { C_DEFER_COUNT, C_DEFER_HEAD, C_DEFER_TAIL, C_IDLE, C_PENDING, C_QS, cpuArea, cpusSeen } from "./cpu";
import { irqOff, irqOn } from "./env";
import { RCU } from "./layout";
import { lockIrqOff, tryLock, unlock } from "./spinlock";

const STARTED: usize = RCU;
export const RCU_COMPLETED: usize = RCU + 4;
export const RCU_LOCK: usize = RCU + 8;
/** Records whose CPU went idle or offline, and how many: written under RCU_ORPHAN_LOCK, both peeked. Atomic. */
export const RCU_ORPHAN_LOCK: usize = RCU + 16;
const ORPHANS: usize = RCU + 20;
const ORPHAN_COUNT: usize = RCU + 28;

/** Atomic. How many CPUs look for memory just now: while any does, polls hand deferred records over. */
const SHORT: usize = RCU + 24;

/** Head of every deferrable record. */
export const R_NEXT: usize = 0;
export const R_GP: usize = 4;
export const R_KIND: usize = 8;

export function gracePeriods(): u32 {
  return atomic.load<u32>(RCU_COMPLETED);
}

/** Queues an unlinked record to be freed after the next grace period. */
export function defer(cpu: usize, record: usize, kind: u32): void {
  store<u32>(record, 0, R_NEXT);
  store<u32>(record, atomic.load<u32>(STARTED) + 1, R_GP);
  store<u32>(record, kind, R_KIND);
  append(cpu, record);
}

function append(cpu: usize, record: usize): void {
  irqOff(cpu);
  const tail = load<u32>(cpu, C_DEFER_TAIL);
  if (tail == 0) store<u32>(cpu, <u32>record, C_DEFER_HEAD);
  else store<u32>(<usize>tail, <u32>record, R_NEXT);
  store<u32>(cpu, <u32>record, C_DEFER_TAIL);
  atomic.store<u32>(cpu, load<u32>(cpu, C_DEFER_COUNT) + 1, C_DEFER_COUNT);
  irqOn(cpu);
}

export function deferredCount(cpu: usize): u32 {
  return load<u32>(cpu, C_DEFER_COUNT);
}

/** Records that wait for whoever adopts them; racy. */
export function orphanCountRacy(): u32 {
  return atomic.load<u32>(ORPHAN_COUNT);
}

/** The oldest record of this CPU whose grace period is over, taken off the list; 0 when there is none. */
export function takeReady(cpu: usize): usize {
  irqOff(cpu);
  const ready = takeReadyIrqOff(cpu);
  irqOn(cpu);
  return ready;
}

function takeReadyIrqOff(cpu: usize): usize {
  const head = <usize>load<u32>(cpu, C_DEFER_HEAD);
  if (head == 0) return 0;
  if (<i32>(atomic.load<u32>(RCU_COMPLETED) - load<u32>(head, R_GP)) < 0) return 0;
  const next = load<u32>(head, R_NEXT);
  store<u32>(cpu, next, C_DEFER_HEAD);
  if (next == 0) store<u32>(cpu, 0, C_DEFER_TAIL);
  atomic.store<u32>(cpu, load<u32>(cpu, C_DEFER_COUNT) - 1, C_DEFER_COUNT);
  return head;
}

/** The store that makes this CPU quiescent: called by the poll, never inside a reader section. */
export function quiesce(cpu: usize): void {
  atomic.and<u32>(cpu, ~(<u32>Pending.Quiesce), C_PENDING);
  atomic.store<u32>(cpu, atomic.load<u32>(STARTED), C_QS);
}

/** Drives grace periods a step. Returns true when one ended. */
export function advance(cpu: usize): bool {
  if (!tryLock(RCU_LOCK)) return false;
  const started = atomic.load<u32>(STARTED);
  let ended = false;
  if (atomic.load<u32>(RCU_COMPLETED) == started) {
    atomic.store<u32>(STARTED, started + 1);
    askAll();
  } else if (allQuiescent(started)) {
    atomic.store<u32>(RCU_COMPLETED, started);
    ended = true;
  }
  unlock(RCU_LOCK);
  return ended;
}

function askAll(): void {
  const n = cpusSeen();
  for (let i: u32 = 0; i < n; i++) {
    const c = cpuArea(i);
    if (atomic.load<u32>(c, C_IDLE) == 0) atomic.or<u32>(c, Pending.Quiesce, C_PENDING);
  }
}

/** Asks the laggards again: a CPU that was idle when the period began, and left idle since, was not asked. */
function allQuiescent(started: u32): bool {
  const n = cpusSeen();
  let all = true;
  for (let i: u32 = 0; i < n; i++) {
    const c = cpuArea(i);
    if (<i32>(atomic.load<u32>(c, C_QS) - started) >= 0 || atomic.load<u32>(c, C_IDLE) != 0) continue;
    all = false;
    atomic.or<u32>(c, Pending.Quiesce, C_PENDING);
  }
  return all;
}

/** This CPU looks for memory: others hand their deferred records over at their next poll that is asked to be quiescent. */
export function memoryShort(more: bool): void {
  if (more) atomic.add<u32>(SHORT, 1);
  else atomic.sub<u32>(SHORT, 1);
}

export function isMemoryShort(): bool {
  return atomic.load<u32>(SHORT) != 0;
}

/** Whether any CPU, or none, keeps records that wait for a grace period; racy. */
export function anyDeferredRacy(): bool {
  if (atomic.load<u32>(ORPHANS) != 0) return true;
  const n = cpusSeen();
  for (let i: u32 = 0; i < n; i++) if (atomic.load<u32>(cpuArea(i), C_DEFER_COUNT) != 0) return true;
  return false;
}

/** A CPU goes offline, idle, or others look for memory: its records go to whoever adopts them next. */
export function abandonDeferred(cpu: usize): void {
  irqOff(cpu);
  const head = load<u32>(cpu, C_DEFER_HEAD);
  if (head != 0) abandonIrqOff(cpu, head);
  irqOn(cpu);
}

function abandonIrqOff(cpu: usize, head: u32): void {
  lockIrqOff(cpu, RCU_ORPHAN_LOCK);
  store<u32>(<usize>load<u32>(cpu, C_DEFER_TAIL), load<u32>(ORPHANS), R_NEXT);
  atomic.store<u32>(ORPHANS, head);
  atomic.store<u32>(ORPHAN_COUNT, atomic.load<u32>(ORPHAN_COUNT) + load<u32>(cpu, C_DEFER_COUNT));
  unlock(RCU_ORPHAN_LOCK);
  store<u32>(cpu, 0, C_DEFER_HEAD);
  store<u32>(cpu, 0, C_DEFER_TAIL);
  atomic.store<u32>(cpu, 0, C_DEFER_COUNT);
}

/** Takes over what offline CPUs left. Each record is tagged anew, so the list stays in order of its periods. */
export function adoptOrphans(cpu: usize): void {
  if (atomic.load<u32>(ORPHANS) == 0) return;
  irqOff(cpu);
  lockIrqOff(cpu, RCU_ORPHAN_LOCK);
  let r = <usize>load<u32>(ORPHANS);
  atomic.store<u32>(ORPHANS, 0);
  atomic.store<u32>(ORPHAN_COUNT, 0);
  unlock(RCU_ORPHAN_LOCK);
  irqOn(cpu);
  while (r != 0) {
    const next = <usize>load<u32>(r, R_NEXT);
    defer(cpu, r, load<u32>(r, R_KIND));
    r = next;
  }
}
