/**
 *   |a...............|      not cached; the host writes to the file
 */
import { hostRead, hostWrite } from "../fileOperations.js";
import { read } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { ONE } from "./files.js";
import { A, R } from "./places.js";

export const pageInWrite: Scenario = {
  name: "page-in-write",
  about: "a page of a file is read in while it is written to",
  tags: ["fault", "page-in", "file"],
  files: [ONE],
  before: [{ at: A, pages: 1, prot: R, of: { file: ONE, kind: "shared" } }],
  offline: [1],

  actors: [
    [read(A), read(A)],
    [hostWrite(ONE, 0, 7), hostRead(ONE, 0)],
  ],
};
