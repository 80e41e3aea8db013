/**
 *   |F...............|
 */
import { remoteWrite, unmap } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { FAR, RW } from "./places.js";

export const remoteWriteMunmap: Scenario = {
  name: "remote-write-munmap",
  about: "a CPU outside the cpumask writes a page that is unmapped with its table",
  tags: ["remote", "munmap", "table", "irq", "protocol-5"],
  before: [{ at: FAR, pages: 1, prot: RW, state: "touched" }],
  away: [1],
  actors: [[unmap(FAR, 1)], [remoteWrite(FAR, 9)]],
};
