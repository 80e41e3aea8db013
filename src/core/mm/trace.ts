/**
 * The trace: each CPU writes what it did into a ring of its own, if it has been given one.
 *
 *   ring   …│ record n-1 │ record n │ oldest record │ …      abi/trace.ts draws one; the newest takes the oldest's place
 *   P_TRACE        u32   address of the ring, 0 = off; written before the CPU is online, then immutable
 *   P_TRACE_MASK   u32   records less one: a power of two of them; immutable
 *   P_TRACE_COUNT  u64   records ever written. private to the CPU
 *   P_TRACE_SEEN   u32 × WATCHED   the counters as a fault began. private to the CPU
 *
 * Promise    off, it costs a load of the CPU's own line and a branch a fault, a shootdown, a grace period.
 * Why        is read off the counters: whoever counts a retry, an abort or a fallback need not know of the trace.
 * Locks      none: nobody else writes or reads a ring while its CPU runs.
 * Linux      compare include/trace/events/exceptions.h: page_fault_user, tlb.h: tlb_flush
 */
import { Counter } from "../abi/counter";
import { TraceField, TraceKind } from "../abi/trace";
import { now } from "../sync/env";
import { counter, P_TRACE, P_TRACE_COUNT, P_TRACE_MASK, P_TRACE_SEEN } from "./percpu";

/** Counters that say how a fault was served, from … to. */
const HOW_FIRST: u32 = Counter.FaultsAnon;
const HOW_LAST: u32 = Counter.FaultsSpurious;
/** And why not at once. */
const RETRY_FIRST: u32 = Counter.RetryDetached;
const RETRY_LAST: u32 = Counter.RetryEntry;
const SPF_FIRST: u32 = Counter.SpfAbortOdd;
const SPF_LAST: u32 = Counter.SpfAbortPteMapLockSeq2;
/** Of spf, too, with a number of its own: it came later. */
const SPF_FAULT: u32 = Counter.SpfAbortFault;
const VMA_FIRST: u32 = Counter.VmaLockAbort;
const VMA_LAST: u32 = Counter.VmaLockMiss;

/** The CPU writes what it does into `ring`, of so many records: a power of two. Before it is online. */
export function traceOn(cpu: usize, ring: usize, records: u32): void {
  store<u32>(cpu, records - 1, P_TRACE_MASK);
  store<u64>(cpu, 0, P_TRACE_COUNT);
  store<u32>(cpu, <u32>ring, P_TRACE);
}

export function isTraced(cpu: usize): bool {
  return load<u32>(cpu, P_TRACE) != 0;
}

/** Records ever written: those beyond the ring's size took the places of the oldest. */
export function traceCount(cpu: usize): u64 {
  return load<u64>(cpu, P_TRACE_COUNT);
}

/** When something begins that may be recorded; 0 when nothing is. */
export function traceNow(cpu: usize): f64 {
  return isTraced(cpu) ? now() : 0;
}

export function traceFaultBegins(cpu: usize): void {
  let at: usize = cpu + P_TRACE_SEEN;
  at = remember(cpu, at, HOW_FIRST, HOW_LAST);
  at = remember(cpu, at, RETRY_FIRST, RETRY_LAST);
  at = remember(cpu, at, SPF_FIRST, SPF_LAST);
  at = remember(cpu, at, SPF_FAULT, SPF_FAULT);
  at = remember(cpu, at, VMA_FIRST, VMA_LAST);
  remember(cpu, at, Counter.FaultsLocked, Counter.FaultsLocked);
}

export function traceFaultEnds(cpu: usize, began: f64, va: u64, access: u32, exit: u32): void {
  let at: usize = cpu + P_TRACE_SEEN;
  const how = grown(cpu, at, HOW_FIRST, HOW_LAST);
  at += (HOW_LAST - HOW_FIRST + 1) << 2;
  let why = grown(cpu, at, RETRY_FIRST, RETRY_LAST);
  at += (RETRY_LAST - RETRY_FIRST + 1) << 2;
  if (why == 0) why = grown(cpu, at, SPF_FIRST, SPF_LAST);
  at += (SPF_LAST - SPF_FIRST + 1) << 2;
  if (why == 0) why = grown(cpu, at, SPF_FAULT, SPF_FAULT);
  at += 4;
  if (why == 0) why = grown(cpu, at, VMA_FIRST, VMA_LAST);
  at += (VMA_LAST - VMA_FIRST + 1) << 2;
  const locked: i64 = grown(cpu, at, Counter.FaultsLocked, Counter.FaultsLocked) != 0 ? 1 : 0;
  const what = <u32>TraceKind.Fault | (exit << 8) | (how << 16) | (why << 24);
  record(cpu, began, what, va, access, locked);
}

/** A memory call of the guest's, by its number. `more`, `flags`, `last`: what it was asked beside address and length. */
export function traceCall(
  cpu: usize,
  began: f64,
  nr: u32,
  address: u64,
  length: u64,
  more: u64,
  flags: u32,
  object: u32,
  last: u64,
  result: i64,
): void {
  if (!isTraced(cpu)) return;
  const at = record(cpu, began, <u32>TraceKind.Call | (nr << 16), address, length, result);
  store<u64>(at, more, TraceField.More);
  store<u64>(at, last, TraceField.Last);
  store<u32>(at, flags, TraceField.Flags);
  store<u32>(at, object, TraceField.Object);
}

/** From here on the CPU runs that thread; `loaded`: 1 when its memory is a program's that was just loaded. */
export function traceThread(cpu: usize, pid: u32, tid: u32, loaded: u32): void {
  if (isTraced(cpu)) record(cpu, now(), TraceKind.Thread, pid, tid, loaded);
}

export function traceShootdown(cpu: usize, began: f64, start: u64, end: u64, ipis: u64): void {
  if (isTraced(cpu)) record(cpu, began, TraceKind.Shootdown, start, end - start, <i64>ipis);
}

export function traceGracePeriod(cpu: usize, period: u32): void {
  if (isTraced(cpu)) record(cpu, now(), TraceKind.GracePeriod, 0, 0, <i64>period);
}

/** `what`: kind, exit, how and why, a byte each. Returns where it is. */
function record(cpu: usize, began: f64, what: u32, address: u64, length: u64, extra: i64): usize {
  const n = load<u64>(cpu, P_TRACE_COUNT);
  const place = <usize>(n & <u64>load<u32>(cpu, P_TRACE_MASK));
  const at = <usize>load<u32>(cpu, P_TRACE) + place * <usize>TraceField.Bytes;
  const ns = now() - began;
  store<f64>(at, began, TraceField.Begin);
  store<u32>(at, ns < 4294967295.0 ? <u32>ns : u32.MAX_VALUE, TraceField.Ns);
  store<u32>(at, what, TraceField.Kind);
  store<u64>(at, address, TraceField.Address);
  store<u64>(at, length, TraceField.Length);
  store<i64>(at, extra, TraceField.Extra);
  store<u64>(cpu, n + 1, P_TRACE_COUNT);
  return at;
}

function remember(cpu: usize, at: usize, first: u32, last: u32): usize {
  for (let c = first; c <= last; c++) {
    store<u32>(at, <u32>counter(cpu, c));
    at += 4;
  }
  return at;
}

/** The first of these counters that is no longer what it was; 0 when all are. */
function grown(cpu: usize, at: usize, first: u32, last: u32): u32 {
  for (let c = first; c <= last; c++) {
    if (load<u32>(at) != <u32>counter(cpu, c)) return c;
    at += 4;
  }
  return 0;
}
