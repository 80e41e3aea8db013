/**
 *   |ab..............|   →   |aa..............|
 */
import { protect, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, B, R, RW } from "./places.js";

export const faultMerge: Scenario = {
  name: "fault-merge",
  about: "a fault in a mapping that becomes one with its neighbour",
  tags: ["fault", "mprotect", "merge"],
  before: [
    { at: A, pages: 1, prot: RW, state: "emptied" },
    { at: B, pages: 1, prot: R, state: "emptied" },
  ],

  actors: [[write(A, 1)], [protect(B, 1, RW)]],
};
