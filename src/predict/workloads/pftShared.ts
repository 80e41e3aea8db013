/**
 * pft with tables that all threads share: page after page of one mapping, dealt out in turn. Neighbours' entries lie in one
 * cache line, eight to a line, and all threads want one table's lock at a time: the worst case for what is missed under it.
 */
import { BASE, FIXED, PAGE, RW, touch, type Workload, WRITE } from "../workload.js";

/** A thread that is faster than the others may touch so many times the average. */
const SLACK = 2;

export const pftShared: Workload = {
  name: "pft_shared",
  about: "threads touch the pages of one mapping in turn: every table is everybody's",
  counts: "faults",
  pages: (threads, operations) => threads * (operations + 1) + Math.ceil((threads * operations * SLACK) / 512) + 8,
  prepare(plain, cpu, threads, operations) {
    plain.sysMmap(cpu, BigInt(BASE), BigInt(threads * operations * SLACK * PAGE), RW, FIXED, 0, 0n);
  },
  *program(thread) {
    const { cpu, operations, threads } = thread;
    for (let i = 0; i < operations * SLACK && thread.more(); i++) {
      yield* touch(thread, BASE + (i * threads + cpu.index) * PAGE, WRITE);
      thread.ended();
    }
  },
};
