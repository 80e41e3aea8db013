/**
 *   |A.B.C.D.E.F.G.H.I.J.|   →   |....................|
 *   a CPU that sleeps is not waited for: more flushes pile up than its queue has places
 */
import { PAGE, read, sleep, unmap, wake } from "../operations.js";
import type { Scenario } from "../scenario.js";
import { A, RW } from "./places.js";

const PAGES = Array.from({ length: 10 }, (_, i) => A + 2 * i * PAGE);

export const sleepShootdowns: Scenario = {
  name: "sleep-shootdowns",
  about: "more is unmapped while a CPU sleeps than it can be told page by page",
  tags: ["idle", "munmap", "shootdown", "wait-sleep", "protocol-9", "large"],
  before: PAGES.map((at) => ({ at, pages: 1, prot: RW, state: "touched" as const })),

  actors: [
    [sleep(), read(PAGES[9]), read(PAGES[0])],
    [...PAGES.map((at) => unmap(at, 1)), wake(0)],
  ],
};
