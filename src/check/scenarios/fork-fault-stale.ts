/**
 *   |A...............|      the parent writes twice; the child reads
 */
import { enterChild, fork } from "../fileOperations.js";
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const forkFaultStale: Scenario = {
  name: "fork-fault-stale",
  about: "fork beside a write through a translation that was writable, and the fault that copies",
  tags: ["fork", "cow", "shootdown", "protocol-2"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],

  actors: [
    [fork(), enterChild(), read(A)],
    [write(A, 1), write(A, 2)],
  ],
};
