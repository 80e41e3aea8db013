/**
 *   |A...............|................|      to the next table
 */
import { elsewhere, move, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, FAR, RW } from "./places.js";

export const mremapFresh: Scenario = {
  name: "mremap-fresh",
  about: "a page moves to a place that is written to meanwhile: nothing is mapped there, or the page is",
  tags: ["mremap", "fault"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],

  actors: [
    [write(A, 1), move(A, FAR, 1)],
    [elsewhere(write(FAR + 1, 2), A), elsewhere(read(FAR), A)],
  ],
};
