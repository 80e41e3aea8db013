/** Boot of the whole core: the memory manager's structures, then the tables the hart computes once. */

import { hartBoot } from "./hart/rvc";
import { boot as bootSpace } from "./mm/boot";

/** See mm/boot.ts: returns the number of frames, or -EINVAL, -ENOMEM. */
export function boot(memoryBytes: u32, cpus: u32, policy: u32, tables: u32, layout: u32, pretouch: u32): i32 {
  const frames = bootSpace(memoryBytes, cpus, policy, tables, layout, pretouch);
  if (frames >= 0) hartBoot();
  return frames;
}
