/**
 *   |A...............|
 */
import { enterChild, fork } from "../fileOperations.js";
import { read, unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const forkMunmap: Scenario = {
  name: "fork-munmap",
  about: "fork beside munmap of a page that it copies, or does not",
  tags: ["fork", "munmap"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],

  actors: [[fork(), enterChild(), read(A)], [unmap(A, 1)]],
};
