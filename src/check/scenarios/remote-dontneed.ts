/**
 *   |A...............|
 */
import { dontNeed, read, remoteWrite } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const remoteDontneed: Scenario = {
  name: "remote-dontneed",
  about: "a CPU outside the cpumask writes a page that MADV_DONTNEED takes away",
  tags: ["remote", "dontneed", "protocol-5"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],
  away: [1],
  actors: [[dontNeed(A, 1), read(A)], [remoteWrite(A, 9)]],
};
