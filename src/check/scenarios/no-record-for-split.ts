/**
 *   |aaa.............|
 *   both calls give ENOMEM and change nothing; the fault finds no frame
 */
import { protect, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, B, R, RW } from "./places.js";

export const noRecordForSplit: Scenario = {
  name: "no-record-for-split",
  about: "a mapping can not be split for want of a record, beside a fault in it",
  tags: ["fault", "munmap", "mprotect", "frames", "records"],
  before: [{ at: A, pages: 3, prot: RW, state: "emptied" }],
  frames: 0,
  records: 1,
  actors: [[unmap(B, 1), protect(B, 1, R)], [write(A, 1)]],
};
