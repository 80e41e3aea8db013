/**
 * What a file mapping maps: an id that the host gave, and how many VMAs use it.
 *
 *   record  {next:u32@0, -, -, link:u32@12, id:u32@16, refs:u32@20}
 *   refs    mmapLock (write)
 *   next    in the released list, under RELEASED_LOCK
 *
 * The VMA keeps the id itself, so a fault under RCU never touches the record. An id is never given out twice: a fault
 * that asks the host for a page of an object just released is refused there, and looks its VMA up again.
 */
import { ALLOCATOR } from "../sync/layout";
import { lock, unlock } from "../sync/spinlock";
import { SLAB_OBJECT, slabAlloc, slabFree } from "./slab";
import { V_RECORD } from "./vma";

export const RELEASED_LOCK: usize = ALLOCATOR + 384;
/** Records whose last mapping went; atomic, written under the lock. */
export const RELEASED: usize = ALLOCATOR + 388;

const O_NEXT: usize = 0;
const O_ID: usize = 16;
const O_REFS: usize = 20;

/** A record with no user yet; 0 when out of memory. */
export function newObject(cpu: usize, id: u32): usize {
  const record = slabAlloc(cpu, SLAB_OBJECT);
  if (record != 0) store<u32>(record, id, O_ID);
  return record;
}

export function dropObject(cpu: usize, record: usize): void {
  if (record != 0) slabFree(cpu, SLAB_OBJECT, record);
}

/** A VMA enters the tree. mmapLock (write). */
export function attachObject(vma: usize): void {
  const record = <usize>load<u32>(vma, V_RECORD);
  if (record != 0) store<u32>(record, load<u32>(record, O_REFS) + 1, O_REFS);
}

/** A VMA left the tree; the last one releases the object. mmapLock (write). */
export function detachObject(cpu: usize, vma: usize): void {
  const record = <usize>load<u32>(vma, V_RECORD);
  if (record == 0) return;
  const refs = load<u32>(record, O_REFS) - 1;
  store<u32>(record, refs, O_REFS);
  if (refs != 0) return;
  lock(cpu, RELEASED_LOCK);
  store<u32>(record, atomic.load<u32>(RELEASED), O_NEXT);
  atomic.store<u32>(RELEASED, <u32>record);
  unlock(RELEASED_LOCK);
}

/** The id of an object whose last mapping went, each once; 0 when there is none. */
export function takeReleasedObject(cpu: usize): u32 {
  if (atomic.load<u32>(RELEASED) == 0) return 0;
  lock(cpu, RELEASED_LOCK);
  const record = <usize>atomic.load<u32>(RELEASED);
  if (record != 0) atomic.store<u32>(RELEASED, load<u32>(record, O_NEXT));
  unlock(RELEASED_LOCK);
  if (record == 0) return 0;
  const id = load<u32>(record, O_ID);
  slabFree(cpu, SLAB_OBJECT, record);
  return id;
}

export function objectRefs(record: usize): u32 {
  return load<u32>(record, O_REFS);
}
