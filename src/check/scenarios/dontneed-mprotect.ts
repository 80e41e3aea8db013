/**
 *   |A...............|
 */
import { dontNeed, protect, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, R, RW } from "./places.js";

export const dontneedMprotect: Scenario = {
  name: "dontneed-mprotect",
  about: "MADV_DONTNEED of a page whose right to write goes",
  tags: ["dontneed", "mprotect"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],

  actors: [
    [dontNeed(A, 1), write(A, 1)],
    [protect(A, 1, R), read(A)],
  ],
};
