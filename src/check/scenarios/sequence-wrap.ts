/**
 *   |a..............n|
 *   four steps of spf's count: what a counter of two bits takes for none
 */
import { map, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, HEAP, N, RW } from "./places.js";

export const sequenceWrap: Scenario = {
  name: "sequence-wrap",
  about: "a fault stalls while two changes of the map go by",
  tags: ["fault", "munmap", "mmap", "spf"],
  before: [
    { at: A, pages: 1, prot: RW, state: "emptied" },
    { at: N, pages: 1, prot: RW, state: "emptied" },
  ],

  actors: [[write(A, 7)], [unmap(A, 1), map(HEAP, 1, RW)]],
};
