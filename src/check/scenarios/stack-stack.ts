/**
 *   …….S|   →   .ssS|
 */
import { PAGE, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { RW, STACK } from "./places.js";

export const stackStack: Scenario = {
  name: "stack-stack",
  about: "two faults below a stack grow it, each to its own page",
  tags: ["fault", "stack"],
  before: [{ at: STACK, pages: 1, prot: RW, state: "touched", grows: 2 }],

  actors: [[write(STACK - PAGE, 1)], [write(STACK - 2 * PAGE, 2)]],
};
