/**
 * Where the words are that a checker watches (abi/watch.ts), and the host as it plays it: one thread that serves one call
 * after another, and copies between its own memory and frames. Left out of the shipping core by tools/wasm-ship.mjs.
 */
import { Watch } from "../abi/watch";
import { C_FLUSH_DONE, C_FLUSH_LOCK, C_PENDING, cpuArea } from "../sync/cpu";
import { SPACE } from "../sync/layout";
import { RCU_COMPLETED, RCU_LOCK, RCU_ORPHAN_LOCK } from "../sync/rcu";
import { lock, unlock } from "../sync/spinlock";
import { BLOCK_LOCK } from "./block";
import { CACHED, D_LEVEL, D_LOCK, D_REFS, D_TYPE, descriptor, G_LOCK, TYPE_DATA, TYPE_SPARE, TYPE_ZERO } from "./frame";
import { OBJECTS_LOCK } from "./object";
import { P_FREE_LOCK } from "./percpu";
import { S_BYTES, S_FREE, SLAB_LINK, SLAB_NODE, SLAB_OBJECT, SLAB_VMA } from "./slab";
import { MMAP_LOCK } from "./space";
import { V_LOCK } from "./vma";

export function watched(what: u32, index: u32): u32 {
  if (what >= <u32>Watch.FreeType) return frameTypeValue(what);
  if (what >= <u32>Watch.FrameType) return <u32>word(what, <usize>index);
  return <u32>lockWord(what, <usize>index);
}

/** The host begins to serve a call of this CPU's thread: it serves one at a time. `word` is its own. */
export function hostLock(cpu: usize, word: usize): void {
  lock(cpu, word);
}

export function hostUnlock(word: usize): void {
  unlock(word);
}

/** The host reads a file into a frame, or writes a frame to a file. */
export function hostCopy(target: usize, source: usize, bytes: u32): void {
  memory.copy(target, source, bytes);
}

function frameTypeValue(what: u32): u32 {
  if (what == <u32>Watch.DataType) return TYPE_DATA;
  if (what == <u32>Watch.CachedBit) return CACHED;
  return what == <u32>Watch.ZeroType ? TYPE_ZERO : TYPE_SPARE;
}

function word(what: u32, index: usize): usize {
  if (what == <u32>Watch.FrameType) return descriptor(index) + D_TYPE;
  if (what == <u32>Watch.TableLevel) return descriptor(index) + D_LEVEL;
  if (what == <u32>Watch.PageRefs) return descriptor(index) + D_REFS;
  if (what == <u32>Watch.SlabFree) return lockWord(<u32>index, 0) + S_FREE;
  if (what == <u32>Watch.SlabBytes) return lockWord(<u32>index, 0) + S_BYTES;
  if (what == <u32>Watch.SlabLink) return index + SLAB_LINK;
  if (what == <u32>Watch.FlushDone) return cpuArea(<u32>index) + C_FLUSH_DONE;
  if (what == <u32>Watch.Pending) return cpuArea(<u32>index) + C_PENDING;
  return what == <u32>Watch.GracePeriod ? RCU_COMPLETED : 0;
}

function lockWord(what: u32, index: usize): usize {
  if (what == <u32>Watch.MmapLock) return SPACE + MMAP_LOCK;
  if (what == <u32>Watch.ReleasedLock) return OBJECTS_LOCK;
  if (what == <u32>Watch.RcuLock) return RCU_LOCK;
  if (what == <u32>Watch.OrphanLock) return RCU_ORPHAN_LOCK;
  if (what == <u32>Watch.FrameLock) return G_LOCK;
  if (what == <u32>Watch.VmaSlab) return SLAB_VMA;
  if (what == <u32>Watch.NodeSlab) return SLAB_NODE;
  if (what == <u32>Watch.ObjectSlab) return SLAB_OBJECT;
  if (what == <u32>Watch.BlockLock) return BLOCK_LOCK;
  if (what == <u32>Watch.FreeLock) return cpuArea(<u32>index) + P_FREE_LOCK;
  if (what == <u32>Watch.FlushLock) return cpuArea(<u32>index) + C_FLUSH_LOCK;
  if (what == <u32>Watch.VmaLock) return index + V_LOCK;
  return what == <u32>Watch.TableLock ? descriptor(index) + D_LOCK : 0;
}
