/**
 *   |A...............|
 *   the sender waits for an answer, or sees it gone
 */
import { dontNeed, leave } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const leaveShootdown: Scenario = {
  name: "leave-shootdown",
  about: "a CPU leaves the space with a flush asked of it",
  tags: ["cpumask", "idle", "shootdown", "protocol-9"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],

  actors: [[dontNeed(A, 1)], [leave()]],
};
