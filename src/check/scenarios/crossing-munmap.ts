/**
 *   |A..............N|
 */
import { unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, N, RW } from "./places.js";

export const crossingMunmap: Scenario = {
  name: "crossing-munmap",
  about: "both CPUs unmap a page that both have touched: their shootdowns cross",
  tags: ["munmap", "shootdown", "wait-acknowledgement", "protocol-8"],
  before: [
    { at: A, pages: 1, prot: RW, state: "touched" },
    { at: N, pages: 1, prot: RW, state: "touched" },
  ],

  actors: [[unmap(A, 1)], [unmap(N, 1)]],
};
