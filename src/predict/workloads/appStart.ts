/**
 * The start of an app: every thread maps small pieces and touches each page of them once, as the Pixel test of the per-VMA locks
 * (100 threads; so many VMAs of so many pages). Nothing is unmapped. A piece, mapped and touched, is counted.
 */
import { BASE, FIXED, memoryCall, PAGE, RW, touch, type Workload, WRITE } from "../workload.js";

const PAGES = 10;
/** Pieces stand a page apart, so that they do not merge. */
const STRIDE = (PAGES + 1) * PAGE;

export const appStart: Workload = {
  name: "app_start",
  about: "each thread maps pieces of ten pages and touches them (an app's start on Android)",
  counts: "pieces",
  pages: (threads, operations) => threads * Math.ceil(operations * (PAGES + 0.2) + 16),
  prepare() {},
  *program(thread) {
    const { cpu, core, operations, random } = thread;
    const base = BASE + cpu.index * 2 * operations * STRIDE;
    for (let i = 0; i < 2 * operations && thread.more(); i++) {
      const at = base + i * STRIDE;
      yield* memoryCall(thread, () => core.sysMmap(cpu.area, BigInt(at), BigInt(PAGES * PAGE), RW, FIXED, 0, 0n));
      for (let page = 0; page < PAGES; page++) yield* touch(thread, at + page * PAGE, WRITE);
      yield random.between(200, 1000);
      thread.ended();
    }
  },
};
