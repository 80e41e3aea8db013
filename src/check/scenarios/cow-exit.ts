/**
 *   |A...............|      of the parent
 *   |A...............|      of the child, who ends
 */
import { exit } from "../fileOperations.js";
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const cowExit: Scenario = {
  name: "cow-exit",
  about: "a child ends while its parent writes a page they share: taken over, or copied",
  tags: ["fork", "cow", "exit"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],
  second: "fork",
  home: [0, 1],

  actors: [[write(A, 1), read(A)], [exit()]],
};
