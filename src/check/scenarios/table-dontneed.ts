/**
 *   |................|f...............|   no table under f
 *   after either order: f is zero again, or holds what was written
 */
import { dontNeed, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, RW } from "./places.js";

export const tableDontneed: Scenario = {
  name: "table-dontneed",
  about: "a fault links a table into the range that is being emptied",
  tags: ["fault", "dontneed", "table"],
  before: [{ at: FAR, pages: 1, prot: RW }],

  actors: [[write(FAR, 1)], [dontNeed(FAR, 1)]],
};
