/**
 *   |a...............|f...............|
 */
import { unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, FAR, RW } from "./places.js";

export const parentStays: Scenario = {
  name: "parent-stays",
  about: "a table is linked into a parent that stays, for a mapping that goes",
  tags: ["fault", "munmap", "table", "protocol-1", "protocol-3"],
  before: [
    { at: FAR, pages: 1, prot: RW },
    { at: A, pages: 1, prot: RW, state: "emptied" },
  ],

  actors: [[write(FAR, 1)], [unmap(FAR, 1)]],
};
