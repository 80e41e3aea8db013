/**
 *   |A...............|      shared with a child that stands still
 */
import { dontNeed, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const cowDontneed: Scenario = {
  name: "cow-dontneed",
  about: "a shared page is copied while MADV_DONTNEED takes it away",
  tags: ["fork", "cow", "dontneed", "protocol-4"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],
  second: "fork",
  home: [0, 0],

  actors: [[write(A, 1), read(A)], [dontNeed(A, 1)]],
};
