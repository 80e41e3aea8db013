/**
 *   |A...............|      of the parent
 *   |A...............|      of the child: the same frame
 */
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const cowCow: Scenario = {
  name: "cow-cow",
  about: "parent and child write the page they share: one copies, or both, and one may take it over",
  tags: ["fork", "cow", "fault"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],
  second: "fork",
  home: [0, 1],

  actors: [
    [write(A, 1), read(A)],
    [write(A, 2), read(A)],
  ],
};
