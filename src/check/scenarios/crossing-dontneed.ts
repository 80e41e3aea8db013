/**
 *   |AA..............|
 */
import { dontNeed } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, B, RW } from "./places.js";

export const crossingDontneed: Scenario = {
  name: "crossing-dontneed",
  about: "two MADV_DONTNEED, both under mmapLock for reading: their shootdowns cross",
  tags: ["dontneed", "shootdown", "wait-acknowledgement", "protocol-8"],
  before: [{ at: A, pages: 2, prot: RW, state: "touched" }],

  actors: [[dontNeed(A, 1)], [dontNeed(B, 1)]],
};
