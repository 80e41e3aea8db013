/**
 * pft, as mmtests runs it: one anonymous mapping, each thread touches its own part of it, page by page, once.
 *
 * One VMA for all: under vma-lock its lock is as shared as mmapLock. Parts begin at a table of their own.
 */
import { BASE, FIXED, PAGE, RW, touch, type Workload, WRITE } from "../workload.js";

const TABLE = 512;

function partPages(operations: number): number {
  return Math.ceil((2 * operations) / TABLE) * TABLE;
}

export const pft: Workload = {
  name: "pft",
  about: "threads touch their parts of one anonymous mapping (mmtests' page fault test)",
  counts: "faults",
  pages: (threads, operations) => threads * (operations + Math.ceil((2 * operations) / TABLE) + 1),
  prepare(plain, cpu, threads, operations) {
    const bytes = BigInt(threads * partPages(operations) * PAGE);
    plain.sysMmap(cpu, BigInt(BASE), bytes, RW, FIXED, 0, 0n);
  },
  *program(thread) {
    const { cpu, operations } = thread;
    const pages = partPages(operations);
    const base = BASE + cpu.index * pages * PAGE;
    for (let i = 0; i < pages && thread.more(); i++) {
      yield* touch(thread, base + i * PAGE, WRITE);
      thread.ended();
    }
  },
};
