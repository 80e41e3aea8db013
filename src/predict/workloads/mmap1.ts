/** mmap1, in threads (will-it-scale): map 128 MiB and unmap it untouched, again and again. Nothing but mmapLock, written. */
import { ANYWHERE, memoryCall, RW, type Workload } from "../workload.js";

const BYTES = 128n << 20n;

export const mmap1: Workload = {
  name: "mmap1",
  about: "map 128 MiB and unmap it untouched (will-it-scale, in threads)",
  counts: "loops",
  pages: (threads) => threads * 32,
  prepare() {},
  *program(thread) {
    const { cpu, core } = thread;
    while (thread.more()) {
      yield* memoryCall(thread, () => core.sysMmap(cpu.area, 0n, BYTES, RW, ANYWHERE, 0, 0n));
      const base = BigInt(thread.result);
      const began = cpu.time;
      yield* memoryCall(thread, () => core.sysMunmap(cpu.area, base, BYTES));
      thread.unmaps.add(cpu.time - began);
      thread.ended();
    }
  },
};
