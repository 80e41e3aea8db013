/**
 *   |AA..............|
 */
import { leave, read, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, B, RW } from "./places.js";

export const leaving: Scenario = {
  name: "leave",
  about: "a CPU leaves the space while another shoots it down",
  tags: ["cpumask", "munmap", "shootdown", "protocol-9", "large"],
  before: [{ at: A, pages: 2, prot: RW, state: "touched" }],

  actors: [
    [unmap(A, 1), read(A), write(B, 3)],
    [write(B, 2), read(A), leave()],
  ],
};
