/**
 * The page fault: entry, the choice of policy, and the path under mmapLock that all of them fall back to.
 *
 *   mmap-lock    mmapLock for reading over the whole fault
 *   optimistic   faultOptimistic.ts
 *   spf          faultSpf.ts
 *   vma-lock     faultVmaLock.ts, in both forms of the lock
 *
 * Promise    returns Exit.None when an entry allowed the access at some moment during the call: the instruction starts
 *            again. Exit.Trap with the trap fields set when the access is refused; Exit.Io; Exit.Oom.
 * Linux      mm/memory.c:handle_mm_fault, arch/riscv/mm/fault.c:handle_page_fault
 */

import { Counter } from "../abi/counter";
import { Access, Cause, Exit, SegvCode } from "../abi/exit";
import { Policy } from "../abi/mman";
import { setTrap } from "../sync/cpu";
import { now } from "../sync/env";
import { policy } from "../sync/layout";
import { faultOptimistic } from "./faultOptimistic";
import { faultSpf } from "./faultSpf";
import { faultVmaLock } from "./faultVmaLock";
import { growStack } from "./grow";
import { findVma } from "./lookup";
import { mmapReadLock, mmapReadUnlock } from "./mmapLock";
import { Outcome } from "./outcome";
import { count, countBy, counter, countMax } from "./percpu";
import { TASK_SIZE } from "./pte";
import { reclaim } from "./reclaim";
import { serve } from "./serve";
import { isTraced, traceFaultBegins, traceFaultEnds } from "./trace";
import { isAnonPrepared, prepareAnon, vmaAllows } from "./vma";

/** One fault in 64 is timed: the clock costs about as much as half a fault. */
const SAMPLE_MASK: u64 = 63;
/** si_code of SIGBUS (sigaction(2)). */
const BUS_ADRERR: u32 = 2;

export function fault(cpu: usize, va: u64, access: u32): i32 {
  count(cpu, Counter.Faults);
  const sampled = (counter(cpu, Counter.Faults) & SAMPLE_MASK) == 0;
  if (isTraced(cpu)) return traced(cpu, va, access, sampled);
  if (!sampled) return handle(cpu, va, access);
  const before = now();
  const result = handle(cpu, va, access);
  sample(cpu, <u64>(now() - before));
  return result;
}

function traced(cpu: usize, va: u64, access: u32, sampled: bool): i32 {
  traceFaultBegins(cpu);
  const before = now();
  const result = handle(cpu, va, access);
  if (sampled) sample(cpu, <u64>(now() - before));
  traceFaultEnds(cpu, before, va, access, result);
  return result;
}

function handle(cpu: usize, va: u64, access: u32): i32 {
  while (true) {
    let outcome: u32 = Outcome.Fallback;
    if (va < TASK_SIZE) outcome = faultUnlocked(cpu, va, access);
    if (outcome == Outcome.Fallback) outcome = faultLocked(cpu, va, access);
    if (outcome == Outcome.Guard) outcome = refuse(cpu, va, access, SegvCode.MapErr);
    if (outcome != Outcome.Oom || !reclaim(cpu)) return <i32>outcome;
  }
}

/** As the policy tries it without mmapLock; Fallback: it did not, or could not. */
function faultUnlocked(cpu: usize, va: u64, access: u32): u32 {
  const how = policy();
  if (how == Policy.Optimistic) return faultOptimistic(cpu, va, access);
  if (how == Policy.MmapLock) return Outcome.Fallback;
  if (how == Policy.Spf) return faultSpf(cpu, va, access);
  return faultVmaLock(cpu, va, access);
}

/** With mmapLock held no VMA is replaced: only another fault, or DONTNEED, changes the entry under us. */
function faultLocked(cpu: usize, va: u64, access: u32): u32 {
  count(cpu, Counter.FaultsLocked);
  if (va >= TASK_SIZE) return refuse(cpu, va, access, SegvCode.MapErr);
  while (true) {
    if (mmapReadLock(cpu)) count(cpu, Counter.MmapLockWaits);
    const vma = findVma(cpu, va);
    if (vma == 0) {
      mmapReadUnlock(cpu);
      if (growStack(cpu, va)) continue;
      return refuse(cpu, va, access, SegvCode.MapErr);
    }
    let outcome: u32 = Outcome.Trap;
    if (vmaAllows(vma, access)) {
      if (access == Access.Write && !isAnonPrepared(vma)) prepareAnon(vma);
      do outcome = serve(cpu, vma, va, access);
      while (outcome >= <u32>Outcome.RetryDetached);
    }
    mmapReadUnlock(cpu);
    if (outcome == <u32>Outcome.Trap) return refuse(cpu, va, access, SegvCode.AccErr);
    if (outcome == <u32>Outcome.Bus) return busError(cpu, va, access);
    return outcome;
  }
}

function refuse(cpu: usize, va: u64, access: u32, code: u32): u32 {
  count(cpu, Counter.FaultsRefused);
  const cause: u32 =
    access == Access.Write ? Cause.StorePage : access == Access.Exec ? Cause.FetchPage : Cause.LoadPage;
  setTrap(cpu, cause, va, code);
  return Exit.Trap;
}

/** Past the end of the file that is mapped there. */
function busError(cpu: usize, va: u64, access: u32): u32 {
  count(cpu, Counter.FaultsRefused);
  const cause: u32 =
    access == Access.Write ? Cause.StoreAccess : access == Access.Exec ? Cause.FetchAccess : Cause.LoadAccess;
  setTrap(cpu, cause, va, BUS_ADRERR);
  return Exit.Trap;
}

/** Histogram of four buckets to each power of two, from 16 ns. */
function sample(cpu: usize, ns: u64): void {
  count(cpu, Counter.LatencySamples);
  countBy(cpu, Counter.LatencySum, ns);
  countMax(cpu, Counter.LatencyMax, ns);
  let bucket: i64 = 0;
  if (ns >= 16) {
    const log = 63 - <i64>clz<u64>(ns);
    bucket = (log - 4) * 4 + <i64>((ns >> (log - 2)) & 3);
  }
  if (bucket > 63) bucket = 63;
  count(cpu, Counter.LatencyBuckets + <u32>bucket);
}
