/**
 *   |A...............|      private, of the first space
 *   |A...............|      shared, of the second
 */
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { ONE } from "./files.js";
import { A, RW } from "./places.js";

export const privateSharedWrite: Scenario = {
  name: "private-shared-write",
  about: "a page of a file is copied for a private mapping while another space stores to it through a shared one",
  tags: ["fault", "cow", "file"],
  files: [ONE],
  before: [
    { at: A, pages: 1, prot: RW, of: { file: ONE, kind: "private" }, state: "seen" },
    { at: A, pages: 1, prot: RW, of: { file: ONE, kind: "shared" }, space: 1 },
  ],
  second: "empty",
  home: [0, 1],

  actors: [[write(A + 1, 1), read(A), read(A)], [write(A, 7)]],
};
