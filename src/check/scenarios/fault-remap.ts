/**
 *   |A..............N|
 */
import { map, read, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, N, RW } from "./places.js";

export const faultRemap: Scenario = {
  name: "fault-remap",
  about: "munmap and mmap at the same place beside a fault: old and new contents never mix",
  tags: ["fault", "munmap", "mmap", "aba", "protocol-6", "large"],
  before: [
    { at: A, pages: 1, prot: RW, state: "framed" },
    { at: N, pages: 1, prot: RW, state: "touched" },
  ],

  actors: [
    [write(A, 9), read(A), read(A)],
    [unmap(A, 1), map(A, 1, RW), read(A)],
  ],
};
