/**
 * A writer-heavy mix: short maps and unmaps beside faults, as hackbench's threads make them. Each thread has a heap of its own that
 * it faults in, and before every few faults maps a small piece, touches it and unmaps it. A fault on the heap is counted.
 *
 * This is what costs the speculative fault its sequence count: any map anywhere in the space ends every speculation under way.
 */
import { BASE, FIXED, memoryCall, PAGE, RW, touch, type Workload, WRITE } from "../workload.js";

const FAULTS_A_MAP = 4;
const PIECE_PAGES = 2;
const STRIDE = 8 << 20;
const PIECE_AT = 6 << 20;
const HEAP_PAGES = PIECE_AT / PAGE - 1;

export const writers: Workload = {
  name: "writers",
  about: "every fourth fault beside a short map and unmap of two pages (as hackbench)",
  counts: "faults",
  pages: (threads, operations) => threads * (operations + 24),
  prepare(plain, cpu, threads) {
    for (let i = 0; i < threads; i++) {
      plain.sysMmap(cpu, BigInt(BASE + i * STRIDE), BigInt(HEAP_PAGES * PAGE), RW, FIXED, 0, 0n);
    }
  },
  *program(thread) {
    const { cpu, core } = thread;
    const base = BASE + cpu.index * STRIDE;
    const piece = BigInt(base + PIECE_AT);
    const bytes = BigInt(PIECE_PAGES * PAGE);
    for (let i = 0; i < HEAP_PAGES && thread.more(); i++) {
      if (i % FAULTS_A_MAP === 0) {
        yield* memoryCall(thread, () => core.sysMmap(cpu.area, piece, bytes, RW, FIXED, 0, 0n));
        yield* touch(thread, base + PIECE_AT, WRITE);
        const began = cpu.time;
        yield* memoryCall(thread, () => core.sysMunmap(cpu.area, piece, bytes), 1);
        thread.unmaps.add(cpu.time - began);
      }
      yield* touch(thread, base + i * PAGE, WRITE);
      thread.ended();
    }
  },
};
