/**
 *   |a...............|
 *   both bring a frame, one goes back; both bytes are there at the end
 */
import { write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const faultFaultPage: Scenario = {
  name: "fault-fault-page",
  about: "two write faults on one page of a table that is there",
  tags: ["fault", "protocol-1", "protocol-4"],
  before: [{ at: A, pages: 1, prot: RW, state: "emptied" }],

  actors: [[write(A, 1)], [write(A + 1, 2)]],
};
