/**
 *   |AA..............|
 *   the first byte is done before the second page is looked at; neither goes through a translation of before a
 *   wait
 */
import { protect, read, writeTwo } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, B, R, RW } from "./places.js";

export const crossPage: Scenario = {
  name: "cross-page",
  about: "a store over two pages whose second half must wait",
  tags: ["fault", "munmap", "protocol-6"],
  before: [{ at: A, pages: 2, prot: RW, state: "touched" }],

  actors: [[writeTwo(B - 1, 7, 8)], [protect(B, 1, R), read(B)]],
};
