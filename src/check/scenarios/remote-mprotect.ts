/**
 *   |A...............|
 */
import { protect, read, remoteWrite } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, R, RW } from "./places.js";

export const remoteMprotect: Scenario = {
  name: "remote-mprotect",
  about: "a CPU outside the cpumask writes a page that loses the right",
  tags: ["remote", "mprotect", "protocol-4", "protocol-5"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],
  away: [1],
  actors: [[protect(A, 1, R), read(A)], [remoteWrite(A, 9)]],
};
