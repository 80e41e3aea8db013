/**
 *   |A...............|
 */
import { dontNeed, sleep, wake, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const sleepShootdown: Scenario = {
  name: "sleep-shootdown",
  about: "a CPU goes idle and wakes while another shoots it down",
  tags: ["idle", "shootdown", "wait-sleep", "protocol-8", "protocol-9"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],

  actors: [
    [wake(1), dontNeed(A, 1)],
    [sleep(), write(A, 1)],
  ],
};
