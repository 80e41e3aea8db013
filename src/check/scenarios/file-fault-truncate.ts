/**
 *   |ab..............|      both cached, neither mapped
 */
import { truncate } from "../fileOperations.js";
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { TWO } from "./files.js";
import { A, B, RW } from "./places.js";

export const fileFaultTruncate: Scenario = {
  name: "file-fault-truncate",
  about: "a fault on a page of a file that is made shorter: the page goes from every mapping, or was never there",
  tags: ["fault", "truncate", "file"],
  files: [TWO],
  before: [{ at: A, pages: 2, prot: RW, of: { file: TWO, kind: "shared" }, state: "emptied" }],

  actors: [[read(B), write(B, 5)], [truncate(TWO, 1)]],
};
