/**
 *   |AA..............|
 */
import { dontNeed, writeTwo } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, B, RW } from "./places.js";

export const crossPageDontneed: Scenario = {
  name: "cross-page-dontneed",
  about: "a store over two pages, both taken away meanwhile",
  tags: ["fault", "dontneed", "protocol-5", "protocol-6"],
  before: [{ at: A, pages: 2, prot: RW, state: "touched" }],

  actors: [[writeTwo(B - 1, 7, 8)], [dontNeed(A, 2)]],
};
