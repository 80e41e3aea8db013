/**
 *   |a...............|   →   |aa..............|
 */
import { map, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, B, RW } from "./places.js";

export const faultExtend: Scenario = {
  name: "fault-extend",
  about: "a fault in a mapping that a new one beside it makes longer",
  tags: ["fault", "mmap", "merge"],
  before: [{ at: A, pages: 1, prot: RW, state: "emptied" }],

  actors: [[write(A, 1)], [map(B, 1, RW)]],
};
