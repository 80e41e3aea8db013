/**
 *   |a...............|
 */
import { dontNeed, remoteRead, remoteWrite, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const remoteFault: Scenario = {
  name: "remote-fault",
  about: "a CPU outside the cpumask brings the page in that it copies from",
  tags: ["remote", "fault", "protocol-5"],
  before: [{ at: A, pages: 1, prot: RW }],
  away: [1],
  actors: [
    [write(A, 4), dontNeed(A, 1)],
    [remoteWrite(A + 1, 9), remoteRead(A)],
  ],
};
