/**
 *   |A...............|   →   |................|
 */
import { join, leave, read, unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

export const joinLeave: Scenario = {
  name: "join-leave",
  about: "one CPU joins the space while another leaves it, and a third shoots down",
  tags: ["cpumask", "munmap", "shootdown", "protocol-9", "large"],
  before: [{ at: A, pages: 1, prot: RW, state: "touched" }],
  offline: [1],

  actors: [[leave()], [join(), read(A), read(A)], [unmap(A, 1)]],
};
