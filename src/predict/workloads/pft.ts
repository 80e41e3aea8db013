/**
 * pft, as mmtests runs it: one anonymous mapping, each thread touches its own part of it, page by page, once. What it reports
 * is all pages by the time from the first thread's begin to the last one's end (pft.c: update_walltime_and_rusage()).
 *
 * One VMA for all: under vma-lock its lock is as shared as mmapLock. Parts begin at a table of their own.
 */
import type { Program } from "../processor.js";
import { BASE, FIXED, PAGE, RW, type Thread, touch, type Workload, WRITE } from "../workload.js";

const TABLE = 512;
/** Between mappings, so that they do not merge: a table's reach, so that no two threads share one. */
const GAP = TABLE * PAGE;

function partPages(operations: number): number {
  return Math.ceil(operations / TABLE) * TABLE;
}

/**
 * As pft, but threads touch every so manyth page of one part: they share tables, and eight of them each line of entries. What a table's
 * lock is like when it is shared, which two threads of one program seldom make it.
 */
export const pftShared: Workload = {
  name: "pft_shared",
  about: "threads touch pages in turn, so that they share page tables and lines of entries",
  counts: "faults",
  toEnd: true,
  pages: (threads, operations) => pft.pages(threads, operations),
  prepare: (plain, cpu, threads, operations) => pft.prepare(plain, cpu, threads, operations),
  *program(thread) {
    const { cpu, threads } = thread;
    for (let i = 0; i < thread.operations; i++) {
      yield* touch(thread, BASE + (i * threads + cpu.index) * PAGE, WRITE);
      thread.ended();
    }
  },
};

/** As pft, with a mapping for each thread: what per-VMA locks are best at. */
export const pftVmas: Workload = {
  name: "pft_vmas",
  about: "the same with a mapping for each thread",
  counts: "faults",
  toEnd: true,
  pages: (threads, operations) => pft.pages(threads, operations),
  prepare(plain, cpu, threads, operations) {
    const bytes = partPages(operations) * PAGE;
    for (let i = 0; i < threads; i++) {
      plain.sysMmap(cpu, BigInt(BASE + i * (bytes + GAP)), BigInt(bytes), RW, FIXED, 0, 0n);
    }
  },
  program: (thread) => touchPart(thread, BASE + thread.cpu.index * (partPages(thread.operations) * PAGE + GAP)),
};

export const pft: Workload = {
  name: "pft",
  about: "threads touch their parts of one anonymous mapping (mmtests' page fault test)",
  counts: "faults",
  toEnd: true,
  pages: (threads, operations) => threads * (operations + Math.ceil(operations / TABLE) + 1),
  prepare(plain, cpu, threads, operations) {
    const bytes = BigInt(threads * partPages(operations) * PAGE);
    plain.sysMmap(cpu, BigInt(BASE), bytes, RW, FIXED, 0, 0n);
  },
  program: (thread) => touchPart(thread, BASE + thread.cpu.index * partPages(thread.operations) * PAGE),
};

function* touchPart(thread: Thread, base: number): Program {
  for (let i = 0; i < thread.operations; i++) {
    yield* touch(thread, base + i * PAGE, WRITE);
    thread.ended();
  }
}
