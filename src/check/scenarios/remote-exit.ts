/**
 *   |A...............|      of the parent, who looks into
 *   |A...............|      the child, who ends
 */
import { exit, heldRemoteRead } from "../fileOperations.js";
import { write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const remoteExit: Scenario = {
  name: "remote-exit",
  about: "a CPU copies from a space whose process ends: it holds the space, or it is gone",
  tags: ["remote", "exit", "protocol-5"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],
  second: "fork",
  home: [0, 1],

  actors: [[heldRemoteRead(A, 1)], [write(A, 5), exit()]],
};
