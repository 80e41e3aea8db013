/**
 * TLB shootdown: makes every CPU of the space forget a range.
 *
 * Promise    after return no CPU of the cpumask uses a translation of the range read before the call. The page-table
 *            entries were changed before, so what they read next is new.
 * Race       | shootdown                    | CPU joining the space
 *            | change entries               | or itself into cpumask
 *            | read cpumask                 | flush everything, read entries
 *            Either the sender sees the joiner, or the joiner reads the new entries. The sender reads no more words of the mask
 *            than hold CPUs that were ever online; a joiner is counted there (cpuOnline) before it sets its bit, so a sender
 *            that read too small a number read it before the joiner's bit, too.
 * Words      one after another, each with its own posts and waits: 64 tickets are enough, whatever the machine.
 */
import { Counter } from "../abi/counter";
import { bumpEpoch, C_TICKETS, cpuArea, cpuId, maskWords } from "../sync/cpu";
import { interrupt, requestFlush, waitFlush } from "../sync/ipi";
import { tlbFlushRange } from "../sync/tlb";
import { count, counter } from "./percpu";
import { S_CPUMASK, spaceOf } from "./space";
import { traceNow, traceShootdown } from "./trace";

export function shootPage(cpu: usize, page: u64): void {
  shootRange(cpu, page, page + 4096);
}

/** May be called with mmapLock and table locks held, interrupts on, inside a reader section. */
export function shootRange(cpu: usize, start: u64, end: u64): void {
  const began = traceNow(cpu);
  const before = counter(cpu, Counter.Ipis);
  tlbFlushRange(cpu, start, end);
  bumpEpoch(cpu);
  count(cpu, Counter.Shootdowns);
  const self = cpuId(cpu);
  const words = maskWords();
  for (let w: u32 = 0; w < words; w++) {
    let bits = atomic.load<u64>(spaceOf(cpu) + S_CPUMASK + ((<usize>w) << 3));
    if (w == self >> 6) bits &= ~(u64(1) << u64(self & 63));
    if (bits != 0) shootWord(cpu, w, bits, start, end);
  }
  traceShootdown(cpu, began, start, end, counter(cpu, Counter.Ipis) - before);
}

/** Posts to all CPUs of one mask word, then waits for each: they flush in parallel. */
function shootWord(cpu: usize, word: u32, bits: u64, start: u64, end: u64): void {
  let waiting: u64 = 0;
  for (let b = bits; b != 0; b &= b - 1) {
    const target = cpuArea((word << 6) + <u32>ctz<u64>(b));
    const ticket = requestFlush(cpu, target, start, end);
    if (!interrupt(target)) continue;
    count(cpu, Counter.Ipis);
    waiting |= b & (0 - b);
    store<u32>(cpu + C_TICKETS + ((<usize>ctz<u64>(b)) << 2), ticket);
  }
  for (let b = waiting; b != 0; b &= b - 1) {
    const bit = <u32>ctz<u64>(b);
    waitFlush(cpu, cpuArea((word << 6) + bit), load<u32>(cpu + C_TICKETS + ((<usize>bit) << 2)));
  }
}
