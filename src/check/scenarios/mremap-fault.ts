/**
 *   |A...............|................|      to the next table
 */
import { elsewhere, move, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, FAR, RW } from "./places.js";

export const mremapFault: Scenario = {
  name: "mremap-fault",
  about: "a page moves while it is written to: the store is in it, or faults",
  tags: ["mremap", "fault", "shootdown"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],

  actors: [
    [move(A, FAR, 1), elsewhere(read(FAR), A)],
    [write(A, 1), read(A)],
  ],
};
