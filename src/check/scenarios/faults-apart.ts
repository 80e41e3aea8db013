/**
 *   |f...............|n...............|
 *   each CPU has frames of its own: what its page gave back
 */
import { write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, NEXT, RW } from "./places.js";

export const faultsApart: Scenario = {
  name: "faults-apart",
  about: "two faults on two tables, in two mappings: which lines of memory do both write?",
  tags: ["fault", "lines"],
  before: [
    { at: FAR, pages: 1, prot: RW, state: "emptied", by: 0 },
    { at: NEXT, pages: 1, prot: RW, state: "emptied", by: 1 },
  ],
  noTwin:
    "to share a line breaks no rule of the checker; test/check-lines.test.ts asks for the lines, and has its twin",
  actors: [[write(FAR, 1)], [write(NEXT, 2)]],
};
