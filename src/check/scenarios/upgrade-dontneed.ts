/**
 *   |a...............|
 */
import { dontNeed, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const upgradeDontneed: Scenario = {
  name: "upgrade-dontneed",
  about: "the zero page is replaced while MADV_DONTNEED takes it away",
  tags: ["fault", "cow", "dontneed", "protocol-4"],
  before: [{ at: A, pages: 1, prot: RW, state: "emptied" }],

  actors: [[read(A), write(A, 1)], [dontNeed(A, 1)]],
};
