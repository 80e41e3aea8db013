/**
 * Objects: what shared and file mappings map. One for each file (inode) while it is mapped, and one for each shared
 * anonymous mapping; every mapping of it, in whatever space, shares its pages (cache.ts).
 *
 *    0        16   20    24    32       40    44    48     52    56    60     64    68      72        76       80    88    92
 *   ┌────────┬────┬─────┬─────┬────────┬─────┬─────┬──────┬─────┬─────┬──────┬─────┬───────┬─────────┬────────┬─────┬─────┬──────
 *   │rcu head│ id │refs │size │dataEnd │root │kind │cLock │mLock│maps │pages │next │queued │writable │released│trim │need │writes│ 128
 *   └────────┴────┴─────┴─────┴────────┴─────┴─────┴──────┴─────┴─────┴──────┴─────┴───────┴─────────┴────────┴─────┴─────┴──────
 *   id        given by the host, never twice; from 0x8000_0000 on by the core, for shared anonymous memory. Immutable
 *   refs      u32 atomic. mappings, opens by the host, reads under way. Grows from what has one, or under OBJECTS_LOCK;
 *             the step to 0 is made under OBJECTS_LOCK, which queues the object for its release
 *   size      u64 atomic, bytes. write: the host, under cLock.  exact: cLock.  peek: faults: a page past it is refused under
 *             mmapLock; what a fault installed while it shrank is found by who trims (truncate.ts)
 *   dataEnd   u64 atomic. from here on the file has holes only: such a page is made here, zero. As size
 *   root, pages, trim, writes   cache.ts, truncate.ts; under cLock
 *   maps      its mappings, through the VMAs' mapNext and mapPrev; with writable, how many of them are shared and may be
 *             written: under mLock
 *   next      in its hash chain; queued, released: the list of those to be released. Under OBJECTS_LOCK
 *
 * Release    refs 0 ─► queued ─► a worker takes it (refs 1), writes dirty pages back ─► forgetObject(): still 1? out of the hash, pages
 *            dropped, record deferred (faults under RCU may still look). A host that opens it before that revives it.
 * Locks      OBJECTS_LOCK, then cLock; mLock under mmapLock, with page-table locks inside. cLock is innermost but for the
 *            allocator's.
 * Linux      compare struct address_space, struct inode; fs/inode.c:iput
 */

import { ALLOCATOR } from "../sync/layout";
import { defer } from "../sync/rcu";
import { lock, unlock } from "../sync/spinlock";
import { DIRTY, dropCache, nextCached } from "./cache";
import { KIND_OBJECT } from "./kinds";
import { SLAB_OBJECT, slabAlloc, slabFree } from "./slab";
import { V_FLAGS, V_MAP_NEXT, V_MAP_PREV, V_RECORD, VM_NOWRITE, VM_SHARED } from "./vma";

export const OBJECT_BYTES: u32 = 128;
export const O_ID: usize = 16;
export const O_REFS: usize = 20;
export const O_SIZE: usize = 24;
export const O_DATA_END: usize = 32;
export const O_ROOT: usize = 40;
export const O_KIND: usize = 44;
export const O_CACHE_LOCK: usize = 48;
export const O_MAPS_LOCK: usize = 52;
export const O_MAPS: usize = 56;
export const O_PAGES: usize = 60;
export const O_NEXT: usize = 64;
export const O_QUEUED: usize = 68;
export const O_WRITABLE: usize = 72;
export const O_RELEASED: usize = 76;
export const O_TRIM: usize = 80;
export const O_TRIM_NEEDED: usize = 88;
export const O_WRITES: usize = 92;

/** The host keeps its bytes: dirty pages are written back. */
export const KIND_FILE: u32 = 0;
/** Shared anonymous memory: the pages are all there is. */
export const KIND_SHMEM: u32 = 1;

export const OBJECTS_LOCK: usize = ALLOCATOR + 448;
/** First of the objects to be released; atomic, written under the lock. */
const RELEASED: usize = ALLOCATOR + 452;
/** The last id given here. */
const LAST_ID: usize = ALLOCATOR + 456;
/** Objects whose trim is noted and not done; atomic. */
export const TRIMS: usize = ALLOCATOR + 460;
/** Hash chains, by the id's low bits. */
const CHAINS: usize = ALLOCATOR + 512;
const CHAIN_COUNT: u32 = 128;
const OWN_IDS: u32 = 0x8000_0000;

function chainOf(id: u32): usize {
  return CHAINS + ((<usize>(id & (CHAIN_COUNT - 1))) << 2);
}

export function findLocked(id: u32): usize {
  let o = <usize>load<u32>(chainOf(id));
  while (o != 0 && load<u32>(o, O_ID) != id) o = <usize>load<u32>(o, O_NEXT);
  return o;
}

/** The object `id` with a reference for the caller; 0 when there is none. */
export function getObject(cpu: usize, id: u32): usize {
  lock(cpu, OBJECTS_LOCK);
  const o = findLocked(id);
  if (o != 0) atomic.add<u32>(o, 1, O_REFS);
  unlock(OBJECTS_LOCK);
  return o;
}

/** Finds the object `id`, or makes it; with a reference for the caller. 0 without memory. */
export function openObject(cpu: usize, id: u32, kind: u32, size: u64, dataEnd: u64): usize {
  const fresh = slabAlloc(cpu, SLAB_OBJECT);
  if (fresh == 0) return 0;
  lock(cpu, OBJECTS_LOCK);
  let o: usize = id == 0 ? 0 : findLocked(id);
  if (o == 0) {
    o = fresh;
    let given = id;
    if (given == 0) {
      given = OWN_IDS | (load<u32>(LAST_ID) + 1);
      store<u32>(LAST_ID, given & ~OWN_IDS);
    }
    store<u32>(o, given, O_ID);
    store<u32>(o, kind, O_KIND);
    atomic.store<u64>(o, size, O_SIZE);
    atomic.store<u64>(o, dataEnd, O_DATA_END);
    store<u64>(o, 0xffff_ffff_ffff_ffff, O_TRIM);
    store<u32>(o, load<u32>(chainOf(given)), O_NEXT);
    store<u32>(chainOf(given), <u32>o);
  }
  atomic.add<u32>(o, 1, O_REFS);
  unlock(OBJECTS_LOCK);
  if (o != fresh) slabFree(cpu, SLAB_OBJECT, fresh);
  return o;
}

/** Gives a reference back; the last one queues the object for its release. */
export function putObject(cpu: usize, o: usize): void {
  while (true) {
    const n = atomic.load<u32>(o, O_REFS);
    if (n <= 1) break;
    if (atomic.cmpxchg<u32>(o, n, n - 1, O_REFS) == n) return;
  }
  lock(cpu, OBJECTS_LOCK);
  if (atomic.sub<u32>(o, 1, O_REFS) == 1 && load<u32>(o, O_QUEUED) == 0) {
    store<u32>(o, 1, O_QUEUED);
    store<u32>(o, atomic.load<u32>(RELEASED), O_RELEASED);
    atomic.store<u32>(RELEASED, <u32>o);
  }
  unlock(OBJECTS_LOCK);
}

/** Gives back the reference that the host took in hostOpen(): the mapping it was for is made, or refused. */
export function closeObject(cpu: usize, id: u32): void {
  const o = getObject(cpu, id);
  if (o == 0) return;
  putObject(cpu, o);
  putObject(cpu, o);
}

/**
 * The id of an object that nobody refers to, taken off the queue with a reference for the caller, who goes on to
 * forgetObject(); 0 when there is none. What was shared anonymous memory ends here.
 */
export function takeReleasedObject(cpu: usize): u32 {
  while (atomic.load<u32>(RELEASED) != 0) {
    lock(cpu, OBJECTS_LOCK);
    const o = <usize>atomic.load<u32>(RELEASED);
    let id: u32 = 0;
    if (o != 0) {
      atomic.store<u32>(RELEASED, load<u32>(o, O_RELEASED));
      store<u32>(o, 0, O_QUEUED);
      if (atomic.load<u32>(o, O_REFS) == 0) {
        atomic.store<u32>(o, 1, O_REFS);
        id = load<u32>(o, O_ID);
      }
    }
    unlock(OBJECTS_LOCK);
    if (id >= OWN_IDS) forgetObject(cpu, id, true);
    else if (id != 0) return id;
  }
  return 0;
}

/**
 * Ends an object that was taken for release and written back, with the reference of who took it; false when it was opened again
 * meanwhile, or has dirty pages again, and is queued anew once nobody refers to it. `lost`: its dirty pages can not be written.
 */
export function forgetObject(cpu: usize, id: u32, lost: bool): bool {
  lock(cpu, OBJECTS_LOCK);
  const o = findLocked(id);
  const ends = o != 0 && atomic.load<u32>(o, O_REFS) == 1 && (lost || isClean(o));
  if (ends) {
    atomic.store<u32>(o, 0, O_REFS);
    let link = chainOf(id);
    while (<usize>load<u32>(link) != o) link = <usize>load<u32>(link) + O_NEXT;
    store<u32>(link, load<u32>(o, O_NEXT));
  }
  unlock(OBJECTS_LOCK);
  if (!ends) {
    if (o != 0) putObject(cpu, o);
    return false;
  }
  dropCache(cpu, o);
  defer(cpu, o, KIND_OBJECT);
  return true;
}

/** Only the caller refers to it, so nobody can make a page dirty meanwhile. */
function isClean(o: usize): bool {
  return load<u32>(o, O_KIND) != KIND_FILE || nextCached(o, 0, 0xffff_ffff, DIRTY) == 0xffff_ffff;
}

/** The next object after `o`, or the first for 0; 0 at the end. Nothing may run. */
export function nextObject(o: usize): usize {
  let chain: u32 = 0;
  if (o != 0) {
    const next = <usize>load<u32>(o, O_NEXT);
    if (next != 0) return next;
    chain = (load<u32>(o, O_ID) & (CHAIN_COUNT - 1)) + 1;
  }
  while (chain < CHAIN_COUNT) {
    const first = <usize>load<u32>(chainOf(chain++));
    if (first != 0) return first;
  }
  return 0;
}

/** An object whose pages are to be trimmed, with a reference for the caller; 0 when none is found. */
export function nextTrimmed(cpu: usize): usize {
  let found: usize = 0;
  lock(cpu, OBJECTS_LOCK);
  for (let i: u32 = 0; i < CHAIN_COUNT && found == 0; i++) {
    let o = <usize>load<u32>(chainOf(i));
    while (o != 0 && found == 0) {
      lock(cpu, o + O_CACHE_LOCK);
      if (load<u32>(o, O_TRIM_NEEDED) != 0) found = o;
      unlock(o + O_CACHE_LOCK);
      o = <usize>load<u32>(o, O_NEXT);
    }
  }
  if (found != 0) atomic.add<u32>(found, 1, O_REFS);
  unlock(OBJECTS_LOCK);
  return found;
}

/** How many mappings and opens refer to an object; 0 when it is not there. */
export function objectRefs(cpu: usize, id: u32): u32 {
  lock(cpu, OBJECTS_LOCK);
  const o = findLocked(id);
  const n: u32 = o == 0 ? 0 : atomic.load<u32>(o, O_REFS);
  unlock(OBJECTS_LOCK);
  return n;
}

/** Whether there is an object of that id. */
export function hasObject(cpu: usize, id: u32): bool {
  lock(cpu, OBJECTS_LOCK);
  const found = findLocked(id) != 0;
  unlock(OBJECTS_LOCK);
  return found;
}

/** Shared mappings of an object through which it may be written. */
export function writableMappings(cpu: usize, id: u32): u32 {
  lock(cpu, OBJECTS_LOCK);
  const o = findLocked(id);
  let n: u32 = 0;
  if (o != 0) {
    lock(cpu, o + O_MAPS_LOCK);
    n = load<u32>(o, O_WRITABLE);
    unlock(o + O_MAPS_LOCK);
  }
  unlock(OBJECTS_LOCK);
  return n;
}

/** It counts while mprotect could make it writable again (i_mmap_writable, mm/vma.c:vma_is_shared_maywrite). */
function writes(vma: usize): u32 {
  const flags = load<u32>(vma, V_FLAGS);
  return (flags & (VM_SHARED | VM_NOWRITE)) == VM_SHARED ? 1 : 0;
}

/** A VMA is about to enter the tree: from here on who takes pages out of the object finds it. mmapLock (write). */
export function attachObject(cpu: usize, vma: usize): void {
  const o = <usize>load<u32>(vma, V_RECORD);
  if (o == 0) return;
  atomic.add<u32>(o, 1, O_REFS);
  lock(cpu, o + O_MAPS_LOCK);
  const head = load<u32>(o, O_MAPS);
  store<u32>(vma, head, V_MAP_NEXT);
  store<u32>(vma, 0, V_MAP_PREV);
  if (head != 0) store<u32>(<usize>head, <u32>vma, V_MAP_PREV);
  store<u32>(o, <u32>vma, O_MAPS);
  store<u32>(o, load<u32>(o, O_WRITABLE) + writes(vma), O_WRITABLE);
  unlock(o + O_MAPS_LOCK);
}

/** A VMA left the tree and is marked detached; what replaces it was attached before. mmapLock (write). */
export function detachObject(cpu: usize, vma: usize): void {
  const o = <usize>load<u32>(vma, V_RECORD);
  if (o == 0) return;
  lock(cpu, o + O_MAPS_LOCK);
  const next = load<u32>(vma, V_MAP_NEXT);
  const prev = load<u32>(vma, V_MAP_PREV);
  if (prev == 0) store<u32>(o, next, O_MAPS);
  else store<u32>(<usize>prev, next, V_MAP_NEXT);
  if (next != 0) store<u32>(<usize>next, prev, V_MAP_PREV);
  store<u32>(o, load<u32>(o, O_WRITABLE) - writes(vma), O_WRITABLE);
  unlock(o + O_MAPS_LOCK);
  putObject(cpu, o);
}
