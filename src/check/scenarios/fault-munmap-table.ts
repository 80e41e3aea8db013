/**
 *   |FF..............|
 */
import { map, PAGE, read, settle, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, RW } from "./places.js";

export const faultMunmapTable: Scenario = {
  name: "fault-munmap-table",
  about: "faults beside an unmapping with frames to shoot down, a grace period, and a new mapping in the old place",
  tags: ["fault", "munmap", "table", "mmap", "rcu", "large"],
  before: [{ at: FAR, pages: 2, prot: RW, state: "touched" }],

  actors: [
    [write(FAR, 7), read(FAR + PAGE), write(FAR, 8)],
    [unmap(FAR, 2), settle(), map(FAR, 2, RW), read(FAR)],
  ],
};
