/**
 * The per-CPU area: one worker's own memory. `cpu` everywhere in the core is its address.
 *
 *        0 ┌──────────────────────────────────────────────┐
 *          │ line 0: written by other CPUs                │ pending idle asleep flushLock flushReq flushDone flushCount
 *       64 │ lines 1-2: flush queue, 8 ranges             │ {start:u64, end:u64} × 8, under flushLock
 *      192 │ lines 3-4: who asked, one bit a CPU          │ u64 × 16, under flushLock; as many as the machine needs are read
 *      320 │ line 5-: private to the CPU                  │ id epoch qs trap fields, deferred list
 *     1024 │ mm part (mm/percpu.ts)                       │ free list, fault request, speculation
 *     2048 │ hart part (hart/record.ts)                   │ registers
 *     2816 │ counter part (mm/percpu.ts)                  │ u64 × 160
 *     4096 │ data TLB, 256 × 32                           │ tlb.ts
 *    12288 │ fetch TLB, 64 × 16                           │
 *    13312 │ gather: frames waiting for their shootdown   │ u32 × 768
 *    16384 │ bounce buffer, 64 KiB                        │ copies between host and guest
 *    81920 └──────────────────────────────────────────────┘
 *
 *   pending    u32  atomic. or'ed by anyone (post), and-ed by the owner. See abi/pending.ts
 *   idle       u32  atomic. 1 while the CPU sleeps or is offline: it holds no translation it will use again without a
 *                   flush and is quiescent, so nobody waits for it.  write: owner;  peek: shootdown and RCU, who publish
 *                   their request first and read this after; the owner stores 0 first and reads requests after.
 *   asleep     u32  atomic. 1 while the owner may be inside a wait on `pending`: posters then notify
 *   flushLock  u32  spin lock, taken with interrupts off; guards the queue, the mask and flushReq
 *   flushReq   u32  tickets given out; written under flushLock
 *   flushDone  u32  atomic. last ticket whose flush is complete; written by the owner, read by waiting senders
 *   qs         u32  atomic. grace-period number the CPU was last quiescent for; written by the owner's poll
 */
import { Pending } from "../abi/pending";
import { CpuWord } from "../abi/word";
import { CPU_AREAS, H_CPUS_SEEN } from "./layout";

export const CPU_BYTES: u32 = 81920;

export const C_PENDING: usize = 0;
export const C_IDLE: usize = 4;
export const C_ASLEEP: usize = 8;
export const C_FLUSH_LOCK: usize = 12;
export const C_FLUSH_REQ: usize = 16;
export const C_FLUSH_DONE: usize = 20;
export const C_FLUSH_COUNT: usize = 24;
export const C_FLUSH_RANGES: usize = 64;
export const FLUSH_RANGES: u32 = 8;
export const C_FLUSH_SENDERS: usize = 192;

/** Private to the CPU. */
export const C_ID: usize = 320;
export const C_EPOCH: usize = 324;
export const C_ONLINE: usize = 328;
export const C_TRAP_CAUSE: usize = 336;
export const C_TRAP_CODE: usize = 340;
export const C_TRAP_VALUE: usize = 344;
/** Atomic; written by the owner, peeked by whoever drives the grace period. */
export const C_QS: usize = 352;
/** Deferred records, oldest first (rcu.ts). */
export const C_DEFER_HEAD: usize = 356;
export const C_DEFER_TAIL: usize = 360;
export const C_DEFER_COUNT: usize = 364;

/** The address space that the CPU acts on (mm/space.ts). */
export const C_SPACE: usize = 368;
/** The space of the process whose thread runs here: C_SPACE, but for the length of a look into another. Changed under taskLock (task/space.ts), or offline. */
export const C_HOME: usize = 372;

/** Tickets of the shootdown under way, u32 × 64 (mm/shootdown.ts). */
export const C_TICKETS: usize = 512;

export const MM_PART: usize = 1024;
export const HART_PART: usize = 2048;
export const COUNTER_PART: usize = 2816;
export const TLB_PART: usize = 4096;
export const FETCH_PART: usize = 12288;
export const GATHER_PART: usize = 13312;
export const GATHER_FRAMES: u32 = 768;
export const BOUNCE_PART: usize = 16384;
export const BOUNCE_BYTES: u32 = 65536;

/** The area of CPU `i`. */
export function cpuArea(i: u32): usize {
  return CPU_AREAS + <usize>i * CPU_BYTES;
}

export function cpuId(cpu: usize): u32 {
  return load<u32>(cpu, C_ID);
}

export function bounce(cpu: usize): usize {
  return cpu + BOUNCE_PART;
}

/** One more than the highest index that was ever online. */
export function cpusSeen(): u32 {
  return atomic.load<u32>(H_CPUS_SEEN);
}

/** Words of a cpumask that can have bits. Who joins is counted before its bit is set: shootdown.ts draws the race. */
export function maskWords(): u32 {
  return (cpusSeen() + 63) >> 6;
}

/** Changes whenever the CPU may have lost translations: it answered IPIs or left idle. */
export function epoch(cpu: usize): u32 {
  return load<u32>(cpu, C_EPOCH);
}

export function bumpEpoch(cpu: usize): void {
  store<u32>(cpu, load<u32>(cpu, C_EPOCH) + 1, C_EPOCH);
}

/** Records a synchronous exception for the run loop. */
export function setTrap(cpu: usize, cause: u32, value: u64, code: u32): void {
  store<u32>(cpu, cause, C_TRAP_CAUSE);
  store<u32>(cpu, code, C_TRAP_CODE);
  store<u64>(cpu, value, C_TRAP_VALUE);
}

export function trapCause(cpu: usize): u32 {
  return load<u32>(cpu, C_TRAP_CAUSE);
}

export function trapCode(cpu: usize): u32 {
  return load<u32>(cpu, C_TRAP_CODE);
}

export function trapValue(cpu: usize): u64 {
  return load<u64>(cpu, C_TRAP_VALUE);
}

/**
 * Sets bits in another CPU's pending word and wakes it if it sleeps on that word. The bits are published before
 * `asleep` is read; a sleeper stores `asleep` before it compares `pending` inside the wait, so one of the two sees the other.
 */
export function post(target: usize, bits: u32): void {
  atomic.or<u32>(target, bits, C_PENDING);
  if (atomic.load<u32>(target, C_ASLEEP) != 0) atomic.notify(target, 1);
}

/** Clears bits of the own pending word; returns which of them were set. */
export function takePending(cpu: usize, bits: u32): u32 {
  if ((atomic.load<u32>(cpu, C_PENDING) & bits) == 0) return 0;
  return atomic.and<u32>(cpu, ~bits, C_PENDING) & bits;
}

/** What ends a sleep: all that concerns the thread rather than the CPU. */
export const WAKING: u32 = Pending.Kick | Pending.Wake | Pending.Reply | Pending.Stop;

/** Where CPU `i`'s pending and idle words are: the checker knows by them when an interrupt can be taken. */
export function pendingWord(i: u32): usize {
  return cpuArea(i) + C_PENDING;
}

export function idleWord(i: u32): usize {
  return cpuArea(i) + C_IDLE;
}

/** A word of CPU `i` for the state dump; racy. */
export function cpuWord(i: u32, word: u32): u32 {
  const cpu = cpuArea(i);
  if (word == CpuWord.Online) return load<u32>(cpu, C_ONLINE);
  if (word == CpuWord.Idle) return atomic.load<u32>(cpu, C_IDLE);
  if (word == CpuWord.Asleep) return atomic.load<u32>(cpu, C_ASLEEP);
  if (word == CpuWord.Pending) return atomic.load<u32>(cpu, C_PENDING);
  if (word == CpuWord.FlushRequested) return load<u32>(cpu, C_FLUSH_REQ);
  if (word == CpuWord.FlushDone) return atomic.load<u32>(cpu, C_FLUSH_DONE);
  if (word == CpuWord.QuiescentFor) return atomic.load<u32>(cpu, C_QS);
  if (word == CpuWord.Deferred) return load<u32>(cpu, C_DEFER_COUNT);
  return 0;
}
