/**
 *   |ab..............|      the table is there, no page
 */
import { enterChild, fork } from "../fileOperations.js";
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const forkFresh: Scenario = {
  name: "fork-fresh",
  about: "fork beside the first fault on a page: the child has what was there at one moment",
  tags: ["fork", "fault"],
  before: [{ at: A, pages: 2, prot: RW, state: "emptied" }],

  actors: [[fork(), enterChild(), read(A)], [write(A, 1)]],
};
