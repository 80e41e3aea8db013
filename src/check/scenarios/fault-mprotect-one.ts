/**
 *   |a...............|
 *   its page is entered before the rights are narrowed, or not writable
 */
import { protect, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, R, RW } from "./places.js";

export const faultMprotectOne: Scenario = {
  name: "fault-mprotect-one",
  about: "a write fault races the loss of its right",
  tags: ["fault", "mprotect", "protocol-1"],
  before: [{ at: A, pages: 1, prot: RW, state: "emptied" }],

  actors: [[write(A, 5)], [protect(A, 1, R)]],
};
