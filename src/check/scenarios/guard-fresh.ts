/**
 *   |a...............|
 */
import { guard, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const guardFresh: Scenario = {
  name: "guard-fresh",
  about: "a guard is installed where a first fault brings a page",
  tags: ["guard", "fault"],
  before: [{ at: A, pages: 1, prot: RW, state: "emptied" }],

  actors: [
    [guard(A, 1), read(A)],
    [write(A, 1), read(A)],
  ],
};
