/**
 *   |a...............|
 */
import { write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const framesForOne: Scenario = {
  name: "frames-for-one",
  about: "two faults and the frames of one: what loses its race must give back what it took",
  tags: ["fault", "frames", "table"],
  before: [{ at: A, pages: 1, prot: RW }],
  frames: 3,
  actors: [[write(A, 1)], [write(A + 1, 2)]],
};
