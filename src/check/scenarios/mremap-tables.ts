/**
 *   |a...............|...............|      a, never touched, moves to FAR: the old table may come beside the move, the new one for it
 *   after: |................|FAR.............|
 */
import { elsewhere, move, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, FAR, RW } from "./places.js";

export const mremapTables: Scenario = {
  name: "mremap-tables",
  about: "a fault links the table of a page that is on its way to another table",
  tags: ["fault", "mremap", "table", "protocol-1", "protocol-3"],
  before: [{ at: A, pages: 1, prot: RW }],

  actors: [
    [write(A, 7), read(A)],
    [move(A, FAR, 1), elsewhere(write(FAR, 9), A), elsewhere(read(FAR), A)],
  ],
};
