/**
 *   |f...............|n...............|
 *   settle(1) begins the period that NEXT's table must not be freed in
 */
import { read, settle, unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, NEXT, RW } from "./places.js";

export const periodBegun: Scenario = {
  name: "period-begun",
  about: "a table is retired when a grace period has begun without it, and a walk is in it",
  tags: ["fault", "munmap", "table", "rcu", "large"],
  before: [
    { at: FAR, pages: 1, prot: RW, state: "emptied" },
    { at: NEXT, pages: 1, prot: RW, state: "emptied" },
  ],

  actors: [[read(NEXT)], [unmap(FAR, 1), settle(1), unmap(NEXT, 1), settle(3)]],
};
