/** What the memory holds, in frames and records; exact when nothing runs. */

import { Stat } from "../abi/stat";
import { H_FRAMES } from "../sync/layout";
import { gracePeriods } from "../sync/rcu";
import { freeFrames } from "./frame";
import { SLAB_NODE, SLAB_OBJECT, SLAB_VMA, slabFrames, slabInUse } from "./slab";
import { S_MAP_COUNT, S_RESERVE_COUNT, S_SEQ } from "./space";

export function stat(what: u32): u32 {
  if (what == Stat.Frames) return load<u32>(H_FRAMES);
  if (what == Stat.FramesFree) return freeFrames();
  if (what == Stat.Vmas) return load<u32>(S_MAP_COUNT);
  if (what == Stat.VmaRecords) return slabInUse(SLAB_VMA);
  if (what == Stat.NodeRecords) return slabInUse(SLAB_NODE) - load<u32>(S_RESERVE_COUNT);
  if (what == Stat.ObjectRecords) return slabInUse(SLAB_OBJECT);
  if (what == Stat.SlabFrames) return slabFrames(SLAB_VMA) + slabFrames(SLAB_NODE) + slabFrames(SLAB_OBJECT);
  if (what == Stat.GracePeriods) return gracePeriods();
  if (what == Stat.MapSequence) return atomic.load<u32>(S_SEQ);
  return 0;
}
