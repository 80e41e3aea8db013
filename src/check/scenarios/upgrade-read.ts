/**
 *   |a...............|
 */
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const upgradeRead: Scenario = {
  name: "upgrade-read",
  about: "one CPU holds the zero page when another replaces it",
  tags: ["fault", "cow", "shootdown", "protocol-3"],
  before: [{ at: A, pages: 1, prot: RW, state: "emptied" }],

  actors: [
    [read(A), read(A)],
    [write(A, 3), read(A)],
  ],
};
