/**
 * Frees what RCU says is ready, and pushes grace periods on. Called at the end of memory calls, outside every reader
 * section and lock.
 */
import { Bug } from "../abi/bug";
import { Counter } from "../abi/counter";
import { bug } from "../sync/env";
import { adoptOrphans, advance, deferredCount, gracePeriods, orphanCountRacy, R_KIND, takeReady } from "../sync/rcu";
import { blockReady } from "./block";
import { frameOf, freeFrame } from "./frame";
import { KIND_BLOCK, KIND_INDEX, KIND_NODE, KIND_OBJECT, KIND_TABLE, KIND_VMA } from "./kinds";
import { count } from "./percpu";
import { SLAB_NODE, SLAB_OBJECT, SLAB_VMA, slabFree } from "./slab";
import { freeTable } from "./table";
import { traceGracePeriod } from "./trace";

/** Records that wait before a grace period is worth driving: it asks every CPU for a store. */
const ENOUGH: u32 = 64;

export function drainDeferred(cpu: usize): void {
  const waiting = deferredCount(cpu) + orphanCountRacy();
  if (waiting == 0) return;
  if (waiting >= ENOUGH) pushGracePeriod(cpu);
  runReady(cpu);
}

/** Drives a grace period one step, adopting what offline CPUs left. */
export function pushGracePeriod(cpu: usize): void {
  adoptOrphans(cpu);
  if (!advance(cpu)) return;
  count(cpu, Counter.GracePeriods);
  traceGracePeriod(cpu, gracePeriods());
}

/** Runs every callback whose grace period is over, each once. */
export function runReady(cpu: usize): void {
  while (true) {
    const r = takeReady(cpu);
    if (r == 0) return;
    const kind = load<u32>(r, R_KIND);
    if (kind == KIND_TABLE) freeTable(cpu, frameOf(r));
    else if (kind == KIND_BLOCK) blockReady(cpu, frameOf(r));
    else if (kind == KIND_VMA) slabFree(cpu, SLAB_VMA, r);
    else if (kind == KIND_NODE) slabFree(cpu, SLAB_NODE, r);
    else if (kind == KIND_OBJECT) slabFree(cpu, SLAB_OBJECT, r);
    else if (kind == KIND_INDEX) freeFrame(cpu, frameOf(r));
    else bug(cpu, Bug.runDeferred_unknown_kind);
  }
}
