/**
 *   |ff..............|
 *   the table is there, no page of it
 */
import { PAGE, read, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, RW } from "./places.js";

export const walkMunmapTable: Scenario = {
  name: "walk-munmap-table",
  about: "a walk races an unmapping that retires the table in its hands; no shootdown holds the unmapping up",
  tags: ["fault", "munmap", "table", "irq", "layout", "protocol-1"],
  before: [{ at: FAR, pages: 2, prot: RW, state: "emptied" }],

  actors: [[write(FAR, 7), read(FAR + PAGE)], [unmap(FAR, 2)]],
};
