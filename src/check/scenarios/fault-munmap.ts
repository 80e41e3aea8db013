/**
 *   a...............N
 *   after either order: .…N; A is read before it goes, or faults
 */
import { read, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, N, RW } from "./places.js";

export const faultMunmap: Scenario = {
  name: "fault-munmap",
  about: "a write fault races the unmapping of its page; the table stays, for a neighbour",
  tags: ["fault", "munmap", "protocol-1"],
  before: [
    { at: A, pages: 1, prot: RW },
    { at: N, pages: 1, prot: RW, state: "touched" },
  ],

  actors: [
    [write(A, 7), read(A)],
    [unmap(A, 1), read(A)],
  ],
};
