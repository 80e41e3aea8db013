/**
 *   |A...............|
 *   a write is done while the call is under way, or refused for good
 */
import { protect, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, R, RW } from "./places.js";

export const writeMprotect: Scenario = {
  name: "write-mprotect",
  about: "a write through the TLB races the loss of its right",
  tags: ["mprotect", "shootdown", "protocol-3", "protocol-4"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],

  actors: [[write(A, 5), write(A, 6)], [protect(A, 1, R)]],
};
