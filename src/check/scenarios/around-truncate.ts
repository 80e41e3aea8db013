/**
 *   |ab..............|      both cached, neither mapped; b goes
 */
import { truncate } from "../fileOperations.js";
import { read } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { TWO } from "./files.js";
import { A, B, R } from "./places.js";

export const aroundTruncate: Scenario = {
  name: "around-truncate",
  about: "a fault maps the pages around it, too, while one of them is cut off",
  tags: ["fault", "truncate", "file"],
  files: [TWO],
  before: [{ at: A, pages: 2, prot: R, of: { file: TWO, kind: "private" }, state: "emptied" }],

  actors: [[read(A), read(B)], [truncate(TWO, 1)]],
};
