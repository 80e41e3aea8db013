/**
 *   |a...............|
 *   the page's frame is missing
 */
import { write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const noFrameForPage: Scenario = {
  name: "no-frame-for-page",
  about: "two faults and two frames: tables may have them",
  tags: ["fault", "frames", "table"],
  before: [{ at: A, pages: 1, prot: RW }],
  frames: 2,
  actors: [[write(A, 1)], [write(A + 1, 2)]],
};
