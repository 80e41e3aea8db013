/**
 *   |a...............|
 *   who waits for the lock must answer its holder's flush
 */
import { read, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const upgradeUpgrade: Scenario = {
  name: "upgrade-upgrade",
  about: "two CPUs replace the zero page at once, and shoot each other down under a table's lock",
  tags: ["fault", "cow", "shootdown", "wait-table-lock", "protocol-8"],
  before: [{ at: A, pages: 1, prot: RW, state: "emptied" }],

  actors: [
    [read(A), write(A, 1)],
    [read(A), write(A + 1, 2)],
  ],
};
