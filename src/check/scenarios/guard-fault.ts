/**
 *   |A..............N|
 *   guarded, A is refused though it is mapped; freed of the guard it is empty
 */
import { guard, read, unguard, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, N, RW } from "./places.js";

export const guardFault: Scenario = {
  name: "guard-fault",
  about: "a write races the guard that comes over its page and goes again",
  tags: ["fault", "guard", "shootdown", "protocol-4"],
  before: [
    { at: A, pages: 1, prot: RW, state: "framed" },
    { at: N, pages: 1, prot: RW, state: "touched" },
  ],

  actors: [
    [write(A, 7), read(A)],
    [guard(A, 1), read(A), unguard(A, 1, RW)],
  ],
};
