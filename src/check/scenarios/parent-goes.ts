/**
 *   |f...............|
 *   no table yet, above it either: the fault brings two, the unmapping takes what it finds
 */
import { unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, RW } from "./places.js";

export const parentGoes: Scenario = {
  name: "parent-goes",
  about: "a table is linked into a parent that goes with the mapping",
  tags: ["fault", "munmap", "table", "protocol-1", "protocol-3"],
  before: [{ at: FAR, pages: 1, prot: RW }],

  actors: [[write(FAR, 1)], [unmap(FAR, 1)]],
};
