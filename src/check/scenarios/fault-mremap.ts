/**
 *   |A..............N|      A moves to B, its neighbour
 *   after: |.B.............N|, with what was stored before
 */
import { elsewhere, move, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, B, N, RW } from "./places.js";

export const faultMremap: Scenario = {
  name: "fault-mremap",
  about: "a write at the old place and a read at the new one race the move of a page within a leaf table",
  tags: ["fault", "mremap", "protocol-1", "protocol-3", "shootdown"],
  before: [
    { at: A, pages: 1, prot: RW, state: "framed" },
    { at: N, pages: 1, prot: RW, state: "touched" },
  ],

  actors: [
    [write(A, 7), elsewhere(read(B), A)],
    [move(A, B, 1), read(A)],
  ],
};
