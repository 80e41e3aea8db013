/**
 *   |A...............|      in the TLBs of all three
 */
import { enterChild, fork } from "../fileOperations.js";
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const forkStaleCopy: Scenario = {
  name: "fork-stale-copy",
  about: "one CPU stores through a translation that was writable while another copies the page, and a third forks",
  tags: ["fork", "cow", "shootdown", "protocol-2", "large"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],

  actors: [
    [fork(), enterChild(), read(A)],
    [write(A, 1), read(A)],
    [write(A + 1, 2), read(A)],
  ],
  noTwin:
    "no fault commits while fork copies, so whoever copies finds no writable translation; that he flushes: copy-unflushed",
};
