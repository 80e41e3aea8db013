/**
 *   |f...............|nnnnnn..........|
 *   both tables are there, and in one block under halves and fragments
 */
import { PAGE, read, settle, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, NEXT, RW } from "./places.js";

export const twoTables: Scenario = {
  name: "two-tables",
  about: "two tables retired one after the other, the second when a grace period has begun, with a walk in it",
  tags: ["fault", "munmap", "table", "layout", "rcu", "large"],
  before: [
    { at: FAR, pages: 1, prot: RW, state: "emptied" },
    { at: NEXT, pages: 6, prot: RW, state: "emptied" },
  ],

  actors: [
    [read(NEXT), read(NEXT + PAGE), write(NEXT + 2 * PAGE, 7), read(NEXT + 3 * PAGE), write(NEXT + 4 * PAGE, 8)],
    [unmap(FAR, 1), settle(1), unmap(NEXT, 6), settle(3)],
  ],
};
