/**
 *   |ffff…f..........|
 *   37 mappings, no two of which merge
 */
import { PAGE, read, settle, unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, NEXT, R, RW } from "./places.js";

export const rcuOverload: Scenario = {
  name: "rcu-overload",
  about: "one operation defers so many records that it drives a grace period itself",
  tags: ["fault", "munmap", "rcu", "large"],
  before: [
    ...Array.from({ length: 36 }, (_, i) => ({ at: FAR + i * PAGE, pages: 1, prot: i % 2 ? R : RW })),
    { at: FAR + 36 * PAGE, pages: 1, prot: RW, state: "emptied" as const },
  ],

  actors: [
    [read(FAR + 36 * PAGE), read(FAR)],
    [unmap(FAR, 37), unmap(NEXT, 1), settle()],
  ],
};
