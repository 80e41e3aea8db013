/**
 *   |A...............|      shared with a child that stands still
 */
import { protect, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, R, RW } from "./places.js";

export const cowMprotect: Scenario = {
  name: "cow-mprotect",
  about: "a shared page is copied while its right is taken and given back",
  tags: ["fork", "cow", "mprotect", "protocol-4"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],
  second: "fork",
  home: [0, 0],

  actors: [
    [write(A, 1), read(A)],
    [protect(A, 1, R), protect(A, 1, RW)],
  ],
};
