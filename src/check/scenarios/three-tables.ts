/**
 *   |...............n|F...............|
 */
import { map, read, settle, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, N, RW } from "./places.js";

export const threeTables: Scenario = {
  name: "three-tables",
  about: "three actors: two faults through a table that a third retires and maps anew",
  tags: ["fault", "munmap", "mmap", "table", "rcu", "large"],
  before: [
    { at: FAR, pages: 1, prot: RW, state: "touched" },
    { at: N, pages: 1, prot: RW },
  ],

  actors: [
    [write(FAR, 1), read(FAR)],
    [read(FAR), write(FAR + 1, 2)],
    [unmap(FAR, 1), settle(), map(FAR, 2, RW)],
  ],
};
