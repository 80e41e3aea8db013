/**
 *   |a...............|
 *   no table yet: both bring three, one set stays
 */
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const faultFault: Scenario = {
  name: "fault-fault",
  about: "two faults on one page, through tables that are not there yet",
  tags: ["fault", "table", "protocol-1"],
  before: [{ at: A, pages: 1, prot: RW }],

  actors: [
    [write(A, 1), read(A + 1)],
    [write(A + 1, 2), read(A)],
  ],
};
