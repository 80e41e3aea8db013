/**
 *   |A...............|
 */
import { dontNeed, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const writeDontneed: Scenario = {
  name: "write-dontneed",
  about: "a write through the TLB races MADV_DONTNEED",
  tags: ["dontneed", "shootdown", "protocol-5", "protocol-6"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],

  actors: [[write(A, 1), read(A)], [dontNeed(A, 1)]],
};
