/**
 * Spaces come and go.
 *
 *   newSpace ─► held by a process ─► CPUs join and leave (boot.ts) ─► last reference put: everything unmapped, record freed
 *
 * References   one a process that has it (vfork shares), one for whoever looks into it from outside (process_vm_readv): he takes it
 *              unless it is 0. refs u32 atomic.
 * The last put finds no CPU in the space: who runs its threads leaves before it puts. So no shootdown, no fault and no mmap
 *              happens beside the teardown; only the reverse maps still lead to it (object.ts), and they are left first.
 * All spaces   in a list under SPACES_LOCK, for whole-memory checks and statistics.
 * Locks        SPACES_LOCK, alone.
 * Linux        kernel/fork.c:mm_init, mmput; mm/mmap.c:exit_mmap
 */
import { C_HOME, cpuId } from "../sync/cpu";
import { ALLOCATOR, SPACE } from "../sync/layout";
import { lock, unlock } from "../sync/spinlock";
import { tlbFlushAll } from "../sync/tlb";
import { allocFrame, freeFrame, TYPE_ZERO } from "./frame";
import { initLimits } from "./limits";
import { unmapAllLocked } from "./mapping";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { LEVELS } from "./pte";
import { SLAB_SPACE, slabAlloc, slabFree } from "./slab";
import { enterSpace, S_CPUMASK, S_NEXT_SPACE, S_PGD, S_PREV_SPACE, S_REFS, S_SCRATCH, S_USERS, spaceOf } from "./space";
import { allocTable, freeTable } from "./table";
import { treeUnreserve } from "./treeChange";

export const SPACES_LOCK: usize = ALLOCATOR + 384;
export const SPACES: usize = ALLOCATOR + 388;

/** The space that boot made. */
export function firstSpace(): u32 {
  return <u32>SPACE;
}

/** Sets a zeroed record up as an empty space with one reference; false without memory. */
export function initSpace(cpu: usize, space: usize): bool {
  const scratch = allocFrame(cpu, TYPE_ZERO);
  const table: usize = scratch == 0 ? 0 : allocTable(cpu, LEVELS - 1, 0, 0);
  if (table == 0) {
    if (scratch != 0) freeFrame(cpu, scratch);
    return false;
  }
  store<u32>(space, <u32>table, S_PGD);
  store<u32>(space, <u32>scratch, S_SCRATCH);
  initLimits(space);
  atomic.store<u32>(space, 1, S_REFS);
  lock(cpu, SPACES_LOCK);
  const next = <usize>load<u32>(SPACES);
  store<u32>(space, <u32>next, S_NEXT_SPACE);
  store<u32>(space, 0, S_PREV_SPACE);
  if (next != 0) store<u32>(next, <u32>space, S_PREV_SPACE);
  store<u32>(SPACES, <u32>space);
  unlock(SPACES_LOCK);
  return true;
}

/** An empty space; 0 without memory. */
export function newSpace(cpu: usize): u32 {
  const space = slabAlloc(cpu, SLAB_SPACE);
  if (space == 0) return 0;
  if (!initSpace(cpu, space)) {
    slabFree(cpu, SLAB_SPACE, space);
    return 0;
  }
  return <u32>space;
}

/** One more reference, by who has one. */
export function holdSpace(space: usize): void {
  atomic.add<u32>(space, 1, S_REFS);
}

/** A reference by who has none, but knows that the record can not be freed meanwhile; false when it is being taken down. */
export function tryHoldSpace(space: usize): bool {
  while (true) {
    const n = atomic.load<u32>(space, S_REFS);
    if (n == 0) return false;
    if (atomic.cmpxchg<u32>(space, n, n + 1, S_REFS) == n) return true;
  }
}

/** Gives a reference back. The last takes the space down: no CPU is in it. Holds no lock, in no reader section. */
export function putSpace(cpu: usize, space: usize): void {
  if (atomic.sub<u32>(space, 1, S_REFS) != 1) return;
  const home = enterSpace(cpu, space);
  mmapWriteLock(cpu);
  unmapAllLocked(cpu);
  mmapWriteUnlock(cpu);
  treeUnreserve(cpu);
  enterSpace(cpu, home == space ? SPACE : home);
  freeTable(cpu, <usize>load<u32>(space, S_PGD));
  freeFrame(cpu, <usize>load<u32>(space, S_SCRATCH));
  if (space == SPACE) {
    store<u32>(space, 0, S_PGD);
    return;
  }
  lock(cpu, SPACES_LOCK);
  const next = <usize>load<u32>(space, S_NEXT_SPACE);
  const prev = <usize>load<u32>(space, S_PREV_SPACE);
  if (prev == 0) store<u32>(SPACES, <u32>next);
  else store<u32>(prev, <u32>next, S_NEXT_SPACE);
  if (next != 0) store<u32>(next, <u32>prev, S_PREV_SPACE);
  unlock(SPACES_LOCK);
  slabFree(cpu, SLAB_SPACE, space);
}

/** The next space after `space`, or the first for 0; 0 at the end. Nothing may come or go meanwhile. */
export function nextSpace(space: usize): usize {
  return <usize>load<u32>(space == 0 ? SPACES : space + S_NEXT_SPACE);
}

/** Home of a CPU that is offline: cpuOnline() joins it. */
export function assignSpace(cpu: usize, space: usize): void {
  enterSpace(cpu, space);
  store<u32>(cpu, <u32>space, C_HOME);
}

/** An online CPU turns from its space to another (exec). It holds no lock of the memory manager but mmapLock of the one it leaves, and no
 *  translation that it will use again. */
export function switchSpace(cpu: usize, space: usize): void {
  leaveSpace(cpu);
  assignSpace(cpu, space);
  joinSpace(cpu);
  tlbFlushAll(cpu);
}

/** The CPU turns to its space. Before it reads any entry: a shootdown that misses us changed its entries before we look. */
export function joinSpace(cpu: usize): void {
  const id = cpuId(cpu);
  atomic.or<u64>(spaceOf(cpu) + S_CPUMASK + ((<usize>(id >> 6)) << 3), u64(1) << u64(id & 63));
  atomic.add<u32>(spaceOf(cpu), 1, S_USERS);
}

/** The CPU turns away: it is asked for no flush any more, and still for quiescence. Its TLB leads nowhere. */
export function leaveSpace(cpu: usize): void {
  const id = cpuId(cpu);
  const bit = u64(1) << u64(id & 63);
  const old = atomic.and<u64>(spaceOf(cpu) + S_CPUMASK + ((<usize>(id >> 6)) << 3), ~bit);
  if ((old & bit) != 0) atomic.sub<u32>(spaceOf(cpu), 1, S_USERS);
  tlbFlushAll(cpu);
}
