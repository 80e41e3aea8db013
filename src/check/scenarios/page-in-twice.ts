/**
 *   |a...............|      not cached
 */
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { ONE } from "./files.js";
import { A, RW } from "./places.js";

export const pageInTwice: Scenario = {
  name: "page-in-twice",
  about: "two threads bring the same page of a file in",
  tags: ["fault", "page-in", "file"],
  files: [ONE],
  before: [{ at: A, pages: 1, prot: RW, of: { file: ONE, kind: "shared" } }],

  actors: [
    [write(A, 1), read(A)],
    [write(A + 1, 2), read(A)],
  ],
};
