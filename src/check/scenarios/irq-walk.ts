/**
 *   |F...............|
 *   the reader's TLB has the page: its answer to the flush is what frees both
 */
import { read, unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, RW } from "./places.js";

export const irqWalk: Scenario = {
  name: "irq-walk",
  about: "a walk with interrupts off against the freeing of its table and its page",
  tags: ["fault", "munmap", "table", "irq", "protocol-6"],
  before: [{ at: FAR, pages: 1, prot: RW, state: "framed" }],

  actors: [[unmap(FAR, 1)], [read(FAR)]],
};
