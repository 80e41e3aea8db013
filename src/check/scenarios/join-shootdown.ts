/**
 *   |A...............|
 *   the sender sees the joiner in the mask, or the joiner reads the changed entry
 */
import { dontNeed, join, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const joinShootdown: Scenario = {
  name: "join-shootdown",
  about: "a CPU joins the space while another shoots it down",
  tags: ["cpumask", "shootdown", "protocol-9"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],
  offline: [1],
  actors: [
    [dontNeed(A, 1), read(A)],
    [join(), write(A, 1)],
  ],
};
