/**
 *   |ab............. n|      both cached, neither mapped
 */
import { truncate } from "../fileOperations.js";
import { write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { TWO } from "./files.js";
import { A, B, N, RW } from "./places.js";

export const fileFrameReused: Scenario = {
  name: "file-frame-reused",
  about: "a page is copied for a private mapping; it is cut off, and its frame is another page's",
  tags: ["fault", "cow", "truncate", "aba", "file"],
  files: [TWO],
  before: [
    { at: A, pages: 2, prot: RW, of: { file: TWO, kind: "private" }, state: "emptied" },
    { at: N, pages: 1, prot: RW, state: "emptied" },
  ],

  actors: [[write(B, 5)], [truncate(TWO, 1), write(N, 9)]],
};
