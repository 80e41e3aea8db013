/**
 *   |AB..............|
 */
import { truncate } from "../fileOperations.js";
import { read, unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { TWO } from "./files.js";
import { A, B, RW } from "./places.js";

export const munmapTruncate: Scenario = {
  name: "munmap-truncate",
  about: "a mapping of a file goes while the file is made shorter",
  tags: ["munmap", "truncate", "file"],
  files: [TWO],
  before: [{ at: A, pages: 2, prot: RW, of: { file: TWO, kind: "shared" }, state: "touched" }],

  actors: [[unmap(B, 1), read(B)], [truncate(TWO, 1)]],
};
