/**
 *   |A..............N|
 *   munmap clears its range under mmapLock for reading, so MADV_DONTNEED runs beside it; two munmaps never clear at once
 */
import { dontNeed, unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, N, RW } from "./places.js";

export const crossingMunmap: Scenario = {
  name: "crossing-munmap",
  about: "munmap and MADV_DONTNEED of pages that both CPUs have touched: their shootdowns cross",
  tags: ["munmap", "dontneed", "shootdown", "wait-acknowledgement", "protocol-8"],
  before: [
    { at: A, pages: 1, prot: RW, state: "touched" },
    { at: N, pages: 1, prot: RW, state: "touched" },
  ],
  actors: [[unmap(A, 1)], [dontNeed(N, 1)]],
};
