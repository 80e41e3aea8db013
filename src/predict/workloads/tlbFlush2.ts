/**
 * tlb_flush2, in threads (will-it-scale): map 1 MiB, and for each page of it: write, give it back with MADV_DONTNEED, which every
 * other CPU of the space must hear of, and read it again; then unmap, and so on. One page is one loop.
 */
import { Advice } from "../../core/abi/mman.js";
import { ANYWHERE, memoryCall, PAGE, READ, RW, touch, type Workload, WRITE } from "../workload.js";

const PAGES = 256;
const BYTES = BigInt(PAGES * PAGE);

export const tlbFlush2: Workload = {
  name: "tlb_flush2",
  about: "write a page, give it back, read it (will-it-scale, in threads)",
  counts: "loops",
  pages: (threads) => threads * (PAGES + 8),
  prepare() {},
  *program(thread) {
    const { cpu, core } = thread;
    let base = 0;
    for (let i = 0; thread.more(); i++) {
      const page = i % PAGES;
      if (page === 0) {
        if (i > 0) yield* memoryCall(thread, () => core.sysMunmap(cpu.area, BigInt(base), BYTES));
        yield* memoryCall(thread, () => core.sysMmap(cpu.area, 0n, BYTES, RW, ANYWHERE, 0, 0n));
        base = thread.result;
      }
      const at = base + page * PAGE;
      yield* touch(thread, at, WRITE);
      const began = cpu.time;
      yield* memoryCall(thread, () => core.sysMadvise(cpu.area, BigInt(at), BigInt(PAGE), Advice.DontNeed), 1);
      thread.unmaps.add(cpu.time - began);
      yield* touch(thread, at, READ);
      thread.ended();
    }
  },
};
