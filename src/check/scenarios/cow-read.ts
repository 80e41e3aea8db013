/**
 *   |A...............|      shared with a child that stands still
 */
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const cowRead: Scenario = {
  name: "cow-read",
  about: "one CPU reads the page that another copies: afterwards it sees the copy",
  tags: ["fork", "cow", "shootdown", "protocol-3"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],
  second: "fork",
  home: [0, 0],

  actors: [
    [write(A, 1), read(A)],
    [read(A), read(A)],
  ],
};
