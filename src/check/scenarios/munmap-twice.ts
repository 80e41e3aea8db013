/**
 *   |A...............|
 */
import { unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const munmapTwice: Scenario = {
  name: "munmap-twice",
  about: "two CPUs unmap the same page",
  tags: ["munmap", "shootdown", "wait-mmap-lock", "protocol-8"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],

  actors: [[unmap(A, 1)], [unmap(A, 1)]],
};
