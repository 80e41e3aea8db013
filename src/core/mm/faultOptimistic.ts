/**
 * Policy optimistic: no lock. Look the VMA up under RCU, serve, and re-check at the commit that it was not replaced.
 *
 * Tries      at most three lookups; what finds no VMA, or one that forbids the access, is decided under mmapLock.
 * Shared lines   once its table exists, it writes: the table's descriptor (lock, used), the entry, the frame, and this
 *            CPU's own area. It reads the tree's root and nodes.
 */
import { Counter } from "../abi/counter";
import { rcuEnter, rcuExit } from "../sync/env";
import { findVma } from "./lookup";
import { Outcome } from "./outcome";
import { count } from "./percpu";
import { serve } from "./serve";
import { vmaAllows } from "./vma";

const ATTEMPTS: u32 = 3;

/** Outcome.Done, Io, Oom, or Fallback. */
export function faultOptimistic(cpu: usize, va: u64, access: u32): u32 {
  count(cpu, Counter.OptimisticAttempt);
  for (let attempt: u32 = 0; attempt < ATTEMPTS; attempt++) {
    rcuEnter(cpu);
    const vma = findVma(cpu, va);
    const outcome = vma != 0 && vmaAllows(vma, access) ? serve(cpu, vma, va, access) : <u32>Outcome.Fallback;
    rcuExit(cpu);
    if (outcome == <u32>Outcome.Fallback || outcome == <u32>Outcome.Bus || outcome == <u32>Outcome.Trap) break;
    if (outcome < <u32>Outcome.RetryDetached) return outcome;
    count(cpu, Counter.OptimisticRetry);
    count(cpu, Counter.RetryDetached + outcome - Outcome.RetryDetached);
  }
  count(cpu, Counter.OptimisticFallback);
  return Outcome.Fallback;
}
