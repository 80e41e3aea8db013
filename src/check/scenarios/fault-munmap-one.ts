/**
 *   |a..............n|
 */
import { unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, N, RW } from "./places.js";

export const faultMunmapOne: Scenario = {
  name: "fault-munmap-one",
  about: "one write fault, one unmapping, a table that stays",
  tags: ["fault", "munmap", "protocol-1"],
  before: [
    { at: A, pages: 1, prot: RW, state: "emptied" },
    { at: N, pages: 1, prot: RW, state: "emptied" },
  ],

  actors: [[write(A, 7)], [unmap(A, 1)]],
};
