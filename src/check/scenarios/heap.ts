/**
 *   |hh..............|   mapped, and gone again
 */
import { moveBrk, PAGE, read, settle, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { HEAP, N, RW } from "./places.js";

export const heap: Scenario = {
  name: "heap",
  about: "the heap grows and shrinks beside accesses to it",
  tags: ["fault", "brk", "munmap", "large"],
  before: [{ at: N, pages: 1, prot: RW }],
  heap: HEAP,
  actors: [
    [moveBrk(HEAP, HEAP + 2 * PAGE), write(HEAP, 4), moveBrk(HEAP + 2 * PAGE, HEAP), settle()],
    [write(HEAP, 5), read(HEAP), write(HEAP + PAGE, 6)],
  ],
};
