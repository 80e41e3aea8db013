/**
 * Pages are taken out of an object: its file was made shorter, or a hole is punched (MADV_REMOVE, fallocate).
 *
 * Promise    after return no mapping in any space leads to a page that was taken out, and no frame of one is kept.
 * Algorithm  1 under cLock, take the pages of the range out, keeping the cache's references in a list
 *            2 under mLock, for every mapping: zap the range in its space, flush there, free what only it had
 *            3 give the cache's references back
 * Race       cache.ts draws it: a fault that committed before its leaf was zapped is zapped; one that commits after sees that
 *            the page is not the object's any more.
 * A mapping  that is being removed is marked detached before it leaves the list: it is zapped by who removes it. A new one
 *            enters the list before anybody can find it.
 * Private copies   go too when the file is shorter (even_cows), and stay when a hole is punched.
 * Tables     a mapping in the list is not detached, and its tables are retired only after it left: they can be walked.
 * Other spaces     each is entered for the walk and the shootdown; its record lives while a VMA of it is in the list.
 * Locks      mLock, with table locks and the wait for acknowledgements inside; its spinners answer IPIs. cLock alone.
 * Linux      mm/truncate.c:truncate_pagecache; mm/memory.c:unmap_mapping_range
 */
import { lock, unlock } from "../sync/spinlock";
import { nextCached, removeLocked } from "./cache";
import { D_LINK, descriptor, putPage } from "./frame";
import { gatherBegin, gatherFlush } from "./gather";
import {
  getObject,
  nextTrimmed,
  O_CACHE_LOCK,
  O_MAPS,
  O_MAPS_LOCK,
  O_TRIM,
  O_TRIM_NEEDED,
  putObject,
  TRIMS,
} from "./object";
import { enterSpace } from "./space";
import { V_MAP_NEXT, V_OFFSET, V_SPACE, vmaEnd, vmaStart } from "./vma";
import { ALL, CACHED_ONLY, zapRange } from "./zap";

const END: u64 = 0xffff_f000_000;

/** Whether a file was made shorter and its pages may still be there. */
export function trimsPending(): bool {
  return atomic.load<u32>(TRIMS) != 0;
}

/** Takes out what lies past the end of every file that was made shorter. Done by who made the call, before it returns. */
export function trimObjects(cpu: usize): void {
  while (trimsPending()) {
    const o = nextTrimmed(cpu);
    if (o == 0) return;
    lock(cpu, o + O_MAPS_LOCK);
    lock(cpu, o + O_CACHE_LOCK);
    const needed = load<u32>(o, O_TRIM_NEEDED) != 0;
    const from = load<u64>(o, O_TRIM);
    unlock(o + O_CACHE_LOCK);
    if (needed) {
      takeOutLocked(cpu, o, from, END, ALL);
      lock(cpu, o + O_CACHE_LOCK);
      // Made shorter still meanwhile: noted anew, and there is another round.
      if (load<u64>(o, O_TRIM) == from) {
        store<u64>(o, 0xffff_ffff_ffff_ffff, O_TRIM);
        store<u32>(o, 0, O_TRIM_NEEDED);
        atomic.sub<u32>(TRIMS, 1);
      }
      unlock(o + O_CACHE_LOCK);
    }
    unlock(o + O_MAPS_LOCK);
    putObject(cpu, o);
  }
}

/** The pages of [from, end), page-aligned, of object `id` become a hole in its cache. The host's file is the caller's. */
export function punchObject(cpu: usize, id: u32, from: u64, end: u64): void {
  const o = getObject(cpu, id);
  if (o == 0) return;
  lock(cpu, o + O_MAPS_LOCK);
  takeOutLocked(cpu, o, from, end, CACHED_ONLY);
  unlock(o + O_MAPS_LOCK);
  putObject(cpu, o);
}

function takeOutLocked(cpu: usize, o: usize, from: u64, end: u64, which: u32): void {
  const first = <u32>(from >> 12);
  const last = <u32>(end >> 12);
  let taken: usize = 0;
  lock(cpu, o + O_CACHE_LOCK);
  for (let i = nextCached(o, first, last, 0); i < last; i = nextCached(o, i + 1, last, 0)) {
    const frame = removeLocked(o, i);
    store<u32>(descriptor(frame), <u32>taken, D_LINK);
    taken = frame;
  }
  unlock(o + O_CACHE_LOCK);
  zapMappingsLocked(cpu, o, from, end, which);
  while (taken != 0) {
    const next = <usize>load<u32>(descriptor(taken), D_LINK);
    putPage(cpu, taken);
    taken = next;
  }
}

/** Zaps [from, end) of the object in every mapping. mLock held. */
function zapMappingsLocked(cpu: usize, o: usize, from: u64, end: u64, which: u32): void {
  for (let vma = <usize>load<u32>(o, O_MAPS); vma != 0; vma = <usize>load<u32>(vma, V_MAP_NEXT)) {
    const offset = load<u64>(vma, V_OFFSET);
    const bytes = vmaEnd(vma) - vmaStart(vma);
    if (offset + bytes <= from || offset >= end) continue;
    const start = from > offset ? vmaStart(vma) + (from - offset) : vmaStart(vma);
    const upTo = end < offset + bytes ? vmaStart(vma) + (end - offset) : vmaEnd(vma);
    const home = enterSpace(cpu, <usize>load<u32>(vma, V_SPACE));
    gatherBegin(cpu);
    zapRange(cpu, start, upTo, true, which);
    gatherFlush(cpu);
    enterSpace(cpu, home);
  }
}
