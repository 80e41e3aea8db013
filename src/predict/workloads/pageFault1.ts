/**
 * page_fault1, in threads (will-it-scale): map anonymous memory, touch each page, unmap it, again and again. A fault is counted.
 *
 * The original maps 128 MiB; here it is 2 MiB, a table's worth, so that a run sees many rounds: sixty-four times as many maps and
 * unmaps for a fault as there.
 */

import type { Program } from "../processor.js";
import { ANYWHERE, memoryCall, PAGE, RW, type Thread, touch, type Workload, WRITE } from "../workload.js";

export const PAGES = 512;
export const BYTES = BigInt(PAGES * PAGE);

export const pageFault1: Workload = {
  name: "page_fault1",
  about: "map 2 MiB, touch each page, unmap (will-it-scale, in threads; there 128 MiB)",
  counts: "faults",
  pages: (threads) => threads * 2 * (PAGES + 8),
  prepare() {},
  program: (thread) => rounds(thread, ANYWHERE, 0, true),
};

/** Maps, writes each page once and unmaps, until all have done enough. `fresh`: each fault takes a page, which the unmapping frees. */
export function* rounds(thread: Thread, flags: number, object: number, fresh: boolean): Program {
  const { cpu, core } = thread;
  let base = 0;
  for (let i = 0; thread.more(); i++) {
    const page = i % PAGES;
    if (page === 0) {
      if (i > 0) {
        const began = cpu.time;
        yield* memoryCall(thread, () => core.sysMunmap(cpu.area, BigInt(base), BYTES), fresh ? PAGES : 0);
        thread.unmaps.add(cpu.time - began);
      }
      yield* memoryCall(thread, () => core.sysMmap(cpu.area, 0n, BYTES, RW, flags, object, 0n));
      base = thread.result;
    }
    yield* touch(thread, base + page * PAGE, WRITE, fresh);
    thread.ended();
  }
}
