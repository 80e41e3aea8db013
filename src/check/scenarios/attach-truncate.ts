/**
 *   |................|      two pages of a file will be
 */
import { mapFile, truncate } from "../fileOperations.js";
import { read } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { TWO } from "./files.js";
import { B, NEXT, RW } from "./places.js";

export const attachTruncate: Scenario = {
  name: "attach-truncate",
  about: "a file is mapped while another CPU touches what it finds and makes the file shorter",
  tags: ["mmap", "fault", "truncate", "file"],
  files: [TWO],
  before: [{ at: NEXT, pages: 1, prot: RW }],

  actors: [[mapFile(TWO, 2, RW, "shared")], [read(B), truncate(TWO, 1), read(B)]],
};
