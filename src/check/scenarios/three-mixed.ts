/**
 *   |AAAA............|
 */
import { map, protect, read, settle, unmap, write } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, B, R, RW } from "./places.js";

export const threeMixed: Scenario = {
  name: "three-mixed",
  about: "three actors: faults, an unmapping that splits, rights that change, and a grace period",
  tags: ["fault", "munmap", "mprotect", "mmap", "rcu", "large"],
  before: [{ at: A, pages: 4, prot: RW, state: "touched" }],

  actors: [
    [write(A, 1), read(B), write(B, 2)],
    [unmap(B, 1), settle(), read(B)],
    [protect(A, 3, R), map(B, 1, RW), write(B, 3)],
  ],
};
