/**
 *   |ffff…f..........|n…   67 mappings, no two of which merge
 *   more records than a CPU keeps waiting: each call at whose end they still wait pushes the grace period a step
 */
import { map, PAGE, read, unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, NEXT, R, RW } from "./places.js";

const MAPPINGS = 67;
const LAST = FAR + (MAPPINGS - 1) * PAGE;

export const rcuOverload: Scenario = {
  name: "rcu-overload",
  about: "one operation defers so many records that the next calls drive a grace period",
  tags: ["fault", "munmap", "rcu", "large", "slow"],
  before: [
    ...Array.from({ length: MAPPINGS - 1 }, (_, i) => ({ at: FAR + i * PAGE, pages: 1, prot: i % 2 ? R : RW })),
    { at: LAST, pages: 1, prot: RW, state: "emptied" },
  ],
  actors: [
    [read(LAST), read(FAR)],
    [unmap(FAR, MAPPINGS), map(NEXT, 1, RW), map(NEXT + PAGE, 1, R)],
  ],
};
