/**
 *   |A...............|      read-only, and of this space alone
 */
import { enterChild, fork } from "../fileOperations.js";
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const cowFork: Scenario = {
  name: "cow-fork",
  about: "a page that is its space's alone is taken over by a write while fork shares it",
  tags: ["fork", "cow"],
  before: [{ at: A, pages: 1, prot: RW, state: "narrowed" }],

  actors: [
    [write(A, 1), read(A)],
    [fork(), enterChild(), read(A)],
  ],
};
