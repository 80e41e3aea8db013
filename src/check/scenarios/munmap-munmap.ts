/**
 *   |AAAAAA..........|
 *   B…+3 and A+2 overlap in B
 */
import { read, unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, B, C, RW } from "./places.js";

export const munmapMunmap: Scenario = {
  name: "munmap-munmap",
  about: "two unmappings overlap, and split the same mapping",
  tags: ["munmap", "split", "shootdown"],
  before: [{ at: A, pages: 6, prot: RW, state: "touched" }],

  actors: [
    [unmap(B, 3), read(B)],
    [unmap(A, 2), read(A), read(C)],
  ],
};
