/**
 *   |A..B............|   →   |...B............|
 */
import { leave, read, settle, unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, N, RW } from "./places.js";

export const orphans: Scenario = {
  name: "orphans",
  about: "a CPU goes and leaves its deferred records to one that is driving a grace period",
  tags: ["munmap", "rcu", "idle", "large"],
  before: [
    { at: A, pages: 1, prot: RW, state: "touched" },
    { at: N, pages: 1, prot: RW, state: "touched" },
  ],

  actors: [
    [unmap(A, 1), leave()],
    [settle(2), read(N)],
  ],
};
