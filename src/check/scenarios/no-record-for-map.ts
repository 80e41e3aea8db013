/**
 *   …….S|
 *   the fault is refused: a stack that can not grow is a hole
 */
import { map, PAGE, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { HEAP, RW, STACK } from "./places.js";

export const noRecordForMap: Scenario = {
  name: "no-record-for-map",
  about: "a mapping, and a stack that would grow, find no record",
  tags: ["mmap", "stack", "frames", "records"],
  before: [{ at: STACK, pages: 1, prot: RW, state: "touched", grows: 1 }],
  frames: 0,
  records: 0,
  actors: [[map(HEAP, 1, RW)], [write(STACK - PAGE, 1)]],
};
