/** What the memory holds, in frames and records; exact when nothing runs. */

import { Layout } from "../abi/mman";
import { Stat } from "../abi/stat";
import { H_FIRST_FRAME, H_FRAMES, layout, SPACE } from "../sync/layout";
import { gracePeriods } from "../sync/rcu";
import { isLiveInBlock } from "./block";
import { D_TYPE, descriptor, freeFrameCount, frontierFrame, TYPE_SPARE, TYPE_TABLE } from "./frame";
import { nextSpace } from "./lifecycle";
import { SLAB_NODE, SLAB_OBJECT, SLAB_SPACE, SLAB_VMA, slabFrames, slabInUse } from "./slab";
import { S_MAP_COUNT, S_RESERVE_COUNT, S_SEQ } from "./space";

export function stat(what: u32): u32 {
  if (what == Stat.Frames) return load<u32>(H_FRAMES);
  if (what == Stat.FramesFree) return freeFrameCount();
  if (what == Stat.Vmas) return sum(S_MAP_COUNT);
  if (what == Stat.VmaRecords) return slabInUse(SLAB_VMA);
  if (what == Stat.NodeRecords) return slabInUse(SLAB_NODE) - sum(S_RESERVE_COUNT);
  if (what == Stat.ObjectRecords) return slabInUse(SLAB_OBJECT);
  if (what == Stat.SpaceRecords) return slabInUse(SLAB_SPACE);
  if (what == Stat.SlabFrames) {
    return slabFrames(SLAB_VMA) + slabFrames(SLAB_NODE) + slabFrames(SLAB_OBJECT) + slabFrames(SLAB_SPACE);
  }
  if (what == Stat.GracePeriods) return gracePeriods();
  if (what == Stat.MapSequence) return atomic.load<u32>(SPACE, S_SEQ);
  if (what == Stat.FramesHeld) return tableFrames(false);
  if (what == Stat.FramesTable) return tableFrames(true);
  return 0;
}

/** A word of every space, added up. */
function sum(field: usize): u32 {
  let n: u32 = 0;
  for (let space = nextSpace(0); space != 0; space = nextSpace(space)) n += load<u32>(space + field);
  return n;
}

/** Frames of page tables that are live, or of blocks and not. */
function tableFrames(live: bool): u32 {
  const end = frontierFrame();
  let n: u32 = 0;
  for (let frame = load<u32>(H_FIRST_FRAME); frame < end; frame++) {
    const d = descriptor((<usize>frame) << 12);
    const type = load<u32>(d, D_TYPE);
    if (type != TYPE_TABLE && type != TYPE_SPARE) continue;
    if ((layout() == <u32>Layout.Page || isLiveInBlock(d)) == live) n++;
  }
  return n;
}
