/**
 *   |a..............n|
 *   read-only when it comes back: the old mapping's fault may not make it writable
 */
import { map, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, N, R, RW } from "./places.js";

export const remapAba: Scenario = {
  name: "remap-aba",
  about: "a fault finds its slot empty twice, and another mapping in between",
  tags: ["fault", "munmap", "mmap", "aba", "protocol-1"],
  before: [
    { at: A, pages: 1, prot: RW, state: "emptied" },
    { at: N, pages: 1, prot: RW, state: "emptied" },
  ],

  actors: [[write(A, 9)], [unmap(A, 1), map(A, 1, R)]],
};
