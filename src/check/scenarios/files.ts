/** The files of the scenarios. Each is mapped where its pages have their place, in whatever space. */
import type { FileAtStart } from "../scenario.js";
import { A } from "./places.js";

const PAGE = 4096;

/** One page and two, from A on; a byte of each page is not zero. */
export const ONE: FileAtStart = { id: 1, at: A, size: PAGE, bytes: [[0, 11]] };
export const TWO: FileAtStart = {
  id: 2,
  at: A,
  size: 2 * PAGE,
  bytes: [
    [0, 11],
    [PAGE, 22],
  ],
};
