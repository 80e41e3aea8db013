/**
 *   |a...............|a...............|      two tables, no page
 */
import { enterChild, fork, readInOrder } from "../fileOperations.js";
import { write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, FAR, RW } from "./places.js";

export const forkOrder: Scenario = {
  name: "fork-order",
  about: "a thread stores to two fresh pages while fork copies: who has the second has the first",
  tags: ["fork", "fault"],
  before: [
    { at: A, pages: 1, prot: RW, state: "emptied" },
    { at: FAR, pages: 1, prot: RW, state: "emptied" },
  ],

  actors: [
    [fork(), enterChild(), readInOrder(FAR, A)],
    [write(A, 1), write(FAR, 1)],
  ],
};
