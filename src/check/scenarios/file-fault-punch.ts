/**
 *   |a...............|      cached, not mapped
 */
import { punch } from "../fileOperations.js";
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { ONE } from "./files.js";
import { A, RW } from "./places.js";

export const fileFaultPunch: Scenario = {
  name: "file-fault-punch",
  about: "a fault on a page of a file in which a hole is made: the private copy stays",
  tags: ["fault", "cow", "truncate", "file"],
  files: [ONE],
  before: [{ at: A, pages: 1, prot: RW, of: { file: ONE, kind: "private" }, state: "emptied" }],

  actors: [[read(A), write(A + 1, 5), read(A)], [punch(ONE, 0, 1)]],
};
