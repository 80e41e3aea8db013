/**
 *   |a...............|
 *   every allocation fails
 */
import { write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const noFrameForParent: Scenario = {
  name: "no-frame-for-parent",
  about: "two faults that find no frame, not for the first table",
  tags: ["fault", "frames", "table"],
  before: [{ at: A, pages: 1, prot: RW }],
  frames: 0,
  actors: [[write(A, 1)], [write(A + 1, 2)]],
};
