/**
 *   …….ss|   →   ..sss|
 */
import { PAGE, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { RW, STACK } from "./places.js";

export const stackFault: Scenario = {
  name: "stack-fault",
  about: "a stack grows below a fault in it",
  tags: ["fault", "stack", "protocol-1"],
  before: [{ at: STACK, pages: 2, prot: RW, state: "emptied", grows: 1 }],

  actors: [[write(STACK - PAGE, 1)], [write(STACK + PAGE, 2)]],
};
