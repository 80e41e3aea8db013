/**
 *   |A...............|
 */
import { guard, unguard } from "../fileOperations.js";
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const guardFault: Scenario = {
  name: "guard-fault",
  about: "guards take the place of a page that is written to, and go again",
  tags: ["guard", "fault"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],

  actors: [
    [guard(A, 1), unguard(A, 1, RW), read(A)],
    [write(A, 1), read(A)],
  ],
};
