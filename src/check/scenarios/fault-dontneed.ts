/**
 *   |AA..............|
 */
import { dontNeed, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, B, RW } from "./places.js";

export const faultDontneed: Scenario = {
  name: "fault-dontneed",
  about: "MADV_DONTNEED races writes: a page is old or zero, and never another's",
  tags: ["fault", "dontneed", "shootdown", "large"],
  before: [{ at: A, pages: 2, prot: RW, state: "touched" }],

  actors: [
    [write(A, 1), read(A), write(B, 2)],
    [dontNeed(A, 2), read(A), read(B)],
  ],
};
