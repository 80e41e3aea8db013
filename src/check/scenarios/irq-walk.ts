/**
 *   |F...............|
 *   in the unmapper's TLB only: the reader walks, and its answer to the flush is what frees page and table
 */
import { read, unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, RW } from "./places.js";

export const irqWalk: Scenario = {
  name: "irq-walk",
  about: "a walk with interrupts off against the freeing of its table and its page",
  tags: ["fault", "munmap", "table", "irq", "protocol-6"],
  before: [{ at: FAR, pages: 1, prot: RW, state: "framed" }],

  actors: [[read(FAR)], [unmap(FAR, 1)]],
};
