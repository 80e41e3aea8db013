/**
 *   |A...............|      dirty, and writable in both TLBs
 */
import { sync } from "../fileOperations.js";
import { write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { ONE } from "./files.js";
import { A, RW } from "./places.js";

export const sharedWriteWriteback: Scenario = {
  name: "shared-write-writeback",
  about:
    "a page is stored to while it is written back: nothing is lost, and after a sync the file has what came before",
  tags: ["fault", "writeback", "file"],
  files: [ONE],
  before: [{ at: A, pages: 1, prot: RW, of: { file: ONE, kind: "shared" }, state: "touched" }],

  actors: [[write(A, 7), write(A, 8)], [sync(ONE, 0)]],
};
