/**
 * One aligned 32-bit word of guest memory, read or changed atomically, as futexes and robust lists need it.
 *
 * Promise    no fault and no sleep: a word whose translation this CPU does not hold is a MISS, and the caller drops its
 *            locks, makes it present (fillWord) and starts over.
 * Why right  between the look at the TLB entry and the access lies no poll, so no shootdown of the page can have been
 *            acknowledged by this CPU: the frame is still the page's (protocol 6).
 */
import { Errno } from "../abi/errno";
import { Access, Exit } from "../abi/exit";
import { fill } from "../mm/fill";
import { irqOff, irqOn } from "../sync/env";
import { PAGE_MASK } from "../sync/layout";
import { T_PHYS, T_READ, T_WRITE, tlbEntry } from "../sync/tlb";

export const MISS: i64 = -1;
/** Results below this ask the caller to serve an Exit: NEED - exit code. */
export const NEED: i64 = -4096;

/** The word, 0 or more, or MISS. */
export function peekWord(cpu: usize, va: u64): i64 {
  irqOff(cpu);
  const e = tlbEntry(cpu, va);
  let value = MISS;
  if (load<u64>(e, T_READ) == (va & PAGE_MASK)) {
    value = <i64>atomic.load<u32>(<usize>load<u32>(e, T_PHYS) + <usize>(va & 0xfff));
  }
  irqOn(cpu);
  return value;
}

/** Compare-and-swap: what the word was, 0 or more (swapped when that is `expected`), or MISS. */
export function swapWord(cpu: usize, va: u64, expected: u32, wanted: u32): i64 {
  irqOff(cpu);
  const e = tlbEntry(cpu, va);
  let value = MISS;
  if (load<u64>(e, T_WRITE) == (va & PAGE_MASK)) {
    value = <i64>atomic.cmpxchg<u32>(<usize>load<u32>(e, T_PHYS) + <usize>(va & 0xfff), expected, wanted);
  }
  irqOn(cpu);
  return value;
}

/** Makes the word's page present: 0, -EFAULT, or NEED - Exit.Io or NEED - Exit.Oom. Holds no lock. */
export function fillWord(cpu: usize, va: u64, access: u32): i64 {
  const exit = fill(cpu, va, access);
  if (exit == Exit.None) return 0;
  if (exit == Exit.Trap) return -Errno.EFAULT;
  return NEED - <i64>exit;
}

/** swapWord that faults the page in first: the old value, or a negative result of fillWord. No lock held. */
export function swapUser(cpu: usize, va: u64, expected: u32, wanted: u32): i64 {
  while (true) {
    const old = swapWord(cpu, va, expected, wanted);
    if (old != MISS) return old;
    const error = fillWord(cpu, va, Access.Write);
    if (error != 0) return error;
  }
}
