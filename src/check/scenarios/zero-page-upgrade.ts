/**
 *   |a...............|
 */
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const zeroPageUpgrade: Scenario = {
  name: "zero-page-upgrade",
  about: "readers hold the zero page when a write replaces it",
  tags: ["fault", "cow", "shootdown", "protocol-3", "large"],
  before: [{ at: A, pages: 1, prot: RW }],

  actors: [
    [read(A), read(A), read(A)],
    [read(A), write(A, 3), read(A)],
  ],
};
