/**
 *   |a...............|      of the parent and of the child
 */
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const sharedFaultFault: Scenario = {
  name: "shared-fault-fault",
  about: "two spaces fault on one page of shared anonymous memory that nobody has touched",
  tags: ["fault", "shared"],
  before: [{ at: A, pages: 1, prot: RW, of: "shared" }],
  second: "fork",
  home: [0, 1],

  actors: [
    [write(A, 1), read(A + 1)],
    [write(A + 1, 2), read(A)],
  ],
};
