/**
 *   |f...............|n...............|
 *   NEXT has no table: it takes the half that FAR's gives up, once it may
 */
import { read, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, NEXT, RW } from "./places.js";

export const halvesReused: Scenario = {
  name: "halves-reused",
  about: "half of a block is retired and taken again at once, with a walk in its other life",
  tags: ["fault", "munmap", "table", "layout"],
  before: [
    { at: FAR, pages: 1, prot: RW, state: "emptied" },
    { at: NEXT, pages: 1, prot: RW },
  ],

  actors: [[read(FAR)], [unmap(FAR, 1), write(NEXT, 5)]],
};
