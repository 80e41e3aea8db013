/**
 *   |Ab..............|
 */
import { dontNeed, read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, B, RW } from "./places.js";

export const noFrameForUpgrade: Scenario = {
  name: "no-frame-for-upgrade",
  about: "the zero page can not be replaced for want of a frame, until one comes back",
  tags: ["fault", "cow", "dontneed", "frames", "wait-grace-period", "protocol-8"],
  before: [
    { at: A, pages: 1, prot: RW, state: "touched" },
    { at: B, pages: 1, prot: RW, state: "emptied" },
  ],
  frames: 0,
  actors: [[read(B), write(B, 1)], [dontNeed(A, 1)]],
};
