/**
 *   |a..............n|
 *   the table has no page when n goes, and must stay for a
 */
import { read, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, N, RW } from "./places.js";

export const neighbourGoes: Scenario = {
  name: "neighbour-goes",
  about: "a fault in one mapping while its neighbour in the same table is unmapped",
  tags: ["fault", "munmap", "table", "protocol-1"],
  before: [
    { at: A, pages: 1, prot: RW, state: "emptied" },
    { at: N, pages: 1, prot: RW, state: "emptied" },
  ],

  actors: [[write(A, 1), read(A)], [unmap(N, 1)]],
};
