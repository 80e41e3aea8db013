/**
 *   |f...............|
 *   the fault leaves its first section, prepares a page, and comes back to a table that may be free
 */
import { settle, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, RW } from "./places.js";

export const writeGracePeriod: Scenario = {
  name: "write-grace-period",
  about: "a write fault comes back to a table that was retired and freed as early as it may be",
  tags: ["fault", "munmap", "table", "rcu", "irq", "spf", "protocol-1"],
  before: [{ at: FAR, pages: 1, prot: RW, state: "emptied" }],
  actors: [[write(FAR, 1)], [unmap(FAR, 1), settle(3)]],
};
