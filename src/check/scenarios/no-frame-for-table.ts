/**
 *   |a...............|
 *   the leaf's frame is missing
 */
import { write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const noFrameForTable: Scenario = {
  name: "no-frame-for-table",
  about: "two faults and one frame: a table above the leaf may have it",
  tags: ["fault", "frames", "table"],
  before: [{ at: A, pages: 1, prot: RW }],
  frames: 1,
  actors: [[write(A, 1)], [write(A + 1, 2)]],
};
