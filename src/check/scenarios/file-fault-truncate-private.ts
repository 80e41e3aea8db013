/**
 *   |ab..............|      both cached, neither mapped
 */
import { truncate } from "../fileOperations.js";
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { TWO } from "./files.js";
import { A, B, RW } from "./places.js";

export const fileFaultTruncatePrivate: Scenario = {
  name: "file-fault-truncate-private",
  about: "a private copy of a page past the new end goes, too",
  tags: ["fault", "cow", "truncate", "file"],
  files: [TWO],
  before: [{ at: A, pages: 2, prot: RW, of: { file: TWO, kind: "private" }, state: "emptied" }],

  actors: [[write(B, 5), read(B)], [truncate(TWO, 1)]],
};
