/**
 *   |A...............|      of the first space: the last mapping
 *   |................|      of the second: it maps the file again
 */
import { mapFile, release } from "../fileOperations.js";
import { read, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { ONE } from "./files.js";
import { A, RW } from "./places.js";

export const releaseReopen: Scenario = {
  name: "release-reopen",
  about: "a file that lost its last mapping is written back and forgotten while it is mapped again",
  tags: ["munmap", "mmap", "release", "file"],
  files: [ONE],
  before: [{ at: A, pages: 1, prot: RW, of: { file: ONE, kind: "shared" }, state: "touched" }],
  second: "empty",
  home: [0, 1],

  actors: [
    [write(A, 7), unmap(A, 1), release()],
    [mapFile(ONE, 1, RW, "shared"), read(A), write(A + 1, 8)],
  ],
};
