/**
 *   |aaa.............|   →   |a.a.............|
 */
import { unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, B, RW } from "./places.js";

export const faultSplit: Scenario = {
  name: "fault-split",
  about: "a fault in the part of a mapping that stays when another part goes",
  tags: ["fault", "munmap", "split", "wait-vma-readers", "protocol-8"],
  before: [{ at: A, pages: 3, prot: RW, state: "emptied" }],

  actors: [[write(A, 1)], [unmap(B, 1)]],
};
