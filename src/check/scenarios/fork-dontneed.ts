/**
 *   |A...............|
 */
import { enterChild, fork } from "../fileOperations.js";
import { dontNeed, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const forkDontneed: Scenario = {
  name: "fork-dontneed",
  about: "fork beside MADV_DONTNEED, which waits for it or is before it",
  tags: ["fork", "dontneed"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],

  actors: [
    [fork(), enterChild(), read(A)],
    [write(A, 3), dontNeed(A, 1)],
  ],
  noTwin: "mmapLock and the lock of the leaf table each keep the two apart: either alone is enough",
};
