/**
 * Policy vma-lock: the fault as Linux serves it since 6.4: look the VMA up under RCU, lock that one VMA for reading, and
 * serve under its lock; whatever does not fit goes to mmapLock.
 *
 * Tables     under the VMA's lock the walk needs no reader section: a table that maps part of a VMA is retired only when
 *            the VMA is gone, and its writer waits for us first.
 * Counters   success: served, or refused for want of memory. abort: no VMA, no anon_vma yet, or write-locked. miss:
 *            found, but detached: looked up again. retry: the lock was dropped for I/O.
 * Linux      mm/memory.c:lock_vma_under_rcu; arch/x86/mm/fault.c:do_user_addr_fault
 */
import { Counter } from "../abi/counter";
import { rcuEnter, rcuExit } from "../sync/env";
import { findVma } from "./lookup";
import { Outcome } from "./outcome";
import { count, P_KERNEL } from "./percpu";
import { serve } from "./serve";
import { isAnonPrepared, isDetached, V_OBJECT, vmaAllows } from "./vma";
import { Start, vmaEndRead, vmaStartRead } from "./vmaLock";

/** Outcome.Done, Io, Oom, or Fallback. */
export function faultVmaLock(cpu: usize, va: u64, access: u32): u32 {
  if (load<u32>(cpu, P_KERNEL) != 0) return Outcome.Fallback;
  const vma = lockUnderRcu(cpu, va);
  if (vma == 0) {
    count(cpu, Counter.VmaLockAbort);
    return Outcome.Fallback;
  }
  let outcome: u32 = Outcome.Fallback;
  if (vmaAllows(vma, access)) {
    do outcome = serve(cpu, vma, va, access);
    while (outcome >= <u32>Outcome.RetryDetached && outcome != <u32>Outcome.Fallback);
    if (outcome == <u32>Outcome.Bus || outcome == <u32>Outcome.Trap) outcome = Outcome.Fallback;
    count(cpu, outcome == <u32>Outcome.Io ? Counter.VmaLockRetry : Counter.VmaLockSuccess);
  }
  vmaEndRead(vma);
  return outcome;
}

/** The VMA of va, locked for reading; 0 when it cannot be had without waiting. */
function lockUnderRcu(cpu: usize, va: u64): usize {
  while (true) {
    rcuEnter(cpu);
    const vma = findVma(cpu, va);
    let start: u32 = Start.Busy;
    if (vma != 0 && (load<u32>(vma, V_OBJECT) != 0 || isAnonPrepared(vma))) {
      start = vmaStartRead(cpu, vma);
      if (start == <u32>Start.Locked && isDetached(vma)) {
        vmaEndRead(vma);
        start = Start.Detached;
      }
    }
    rcuExit(cpu);
    if (start == <u32>Start.Locked) return vma;
    if (start == <u32>Start.Busy) return 0;
    count(cpu, Counter.VmaLockMiss);
  }
}
