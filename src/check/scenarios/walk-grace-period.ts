/**
 *   |f...............|
 */
import { read, settle, unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, RW } from "./places.js";

export const walkGracePeriod: Scenario = {
  name: "walk-grace-period",
  about: "a walk holds a table that is retired, and a grace period ends as early as it may",
  tags: ["fault", "munmap", "table", "rcu", "irq", "layout"],
  before: [{ at: FAR, pages: 1, prot: RW, state: "emptied" }],

  actors: [[read(FAR)], [unmap(FAR, 1), settle(3)]],
};
