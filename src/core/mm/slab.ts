/**
 * Records of one size cut from frames: VMAs, tree nodes, objects. A slab's frames stay slabs.
 *
 *   slab line   {lock:u32, free:u32, inUse:u32, bytes:u32}   all under lock, except `bytes` (immutable)
 *   free record  linked through offset 12, past the RCU head
 *
 * Locks   a slab's lock is taken under mmapLock or alone; the frame allocator's locks nest inside it.
 */
import { Bug } from "../abi/bug";
import { bug } from "../sync/env";
import { ALLOCATOR } from "../sync/layout";
import { lock, unlock } from "../sync/spinlock";
import { allocFrame, frameType, TYPE_SLAB } from "./frame";

export const SLAB_VMA: usize = ALLOCATOR + 64;
export const SLAB_NODE: usize = ALLOCATOR + 128;
export const SLAB_OBJECT: usize = ALLOCATOR + 192;
export const SLAB_SPACE: usize = ALLOCATOR + 320;
export const SLAB_NAME: usize = ALLOCATOR + 1088;

export const S_FREE: usize = 4;
const S_IN_USE: usize = 8;
export const S_BYTES: usize = 12;
const S_FRAMES: usize = 16;
export const SLAB_LINK: usize = 12;

export function bootSlab(slab: usize, bytes: u32): void {
  store<u32>(slab, bytes, S_BYTES);
}

/** A zeroed record, or 0 when no frame is left. */
export function slabAlloc(cpu: usize, slab: usize): usize {
  lock(cpu, slab);
  let r = <usize>load<u32>(slab, S_FREE);
  if (r == 0) {
    grow(cpu, slab);
    r = <usize>load<u32>(slab, S_FREE);
  }
  if (r != 0) {
    store<u32>(slab, load<u32>(r, SLAB_LINK), S_FREE);
    store<u32>(slab, load<u32>(slab, S_IN_USE) + 1, S_IN_USE);
  }
  unlock(slab);
  if (r != 0) memory.fill(r, 0, load<u32>(slab, S_BYTES));
  return r;
}

export function slabFree(cpu: usize, slab: usize, r: usize): void {
  if (frameType(r) != TYPE_SLAB) bug(cpu, Bug.slabFree_object_outside_its_slab);
  lock(cpu, slab);
  store<u32>(r, load<u32>(slab, S_FREE), SLAB_LINK);
  store<u32>(slab, <u32>r, S_FREE);
  store<u32>(slab, load<u32>(slab, S_IN_USE) - 1, S_IN_USE);
  unlock(slab);
}

function grow(cpu: usize, slab: usize): void {
  const frame = allocFrame(cpu, TYPE_SLAB);
  if (frame == 0) return;
  store<u32>(slab, load<u32>(slab, S_FRAMES) + 1, S_FRAMES);
  const bytes = load<u32>(slab, S_BYTES);
  for (let at: u32 = 0; at + bytes <= 4096; at += bytes) {
    const r = frame + at;
    store<u32>(r, load<u32>(slab, S_FREE), SLAB_LINK);
    store<u32>(slab, <u32>r, S_FREE);
  }
}

/** Records in use, those waiting for a grace period included. */
export function slabInUse(slab: usize): u32 {
  return load<u32>(slab, S_IN_USE);
}

export function slabFrames(slab: usize): u32 {
  return load<u32>(slab, S_FRAMES);
}
