/**
 *   |AA..............|
 */
import { protect, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, R, RW } from "./places.js";

export const faultMprotect: Scenario = {
  name: "fault-mprotect",
  about: "a write races the taking away of its right, and its return",
  tags: ["fault", "mprotect", "split", "large"],
  before: [{ at: A, pages: 2, prot: RW, state: "touched" }],

  actors: [
    [write(A, 5), write(A, 6), read(A)],
    [protect(A, 1, R), read(A), protect(A, 1, RW)],
  ],
};
