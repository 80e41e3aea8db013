/**
 *   |AB..............|      both copied
 */
import { enterChild, fork, truncate } from "../fileOperations.js";
import { read } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { TWO } from "./files.js";
import { A, B, RW } from "./places.js";

export const forkTruncate: Scenario = {
  name: "fork-truncate",
  about: "a space with a private copy of a page is copied while the file is made shorter",
  tags: ["fork", "truncate", "file"],
  files: [TWO],
  before: [{ at: A, pages: 2, prot: RW, of: { file: TWO, kind: "private" }, state: "touched" }],

  actors: [
    [fork(), enterChild(), read(B)],
    [truncate(TWO, 1), read(B)],
  ],
};
