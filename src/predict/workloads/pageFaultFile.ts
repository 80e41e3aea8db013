/**
 * page_fault2 and page_fault3, in threads (will-it-scale): as page_fault1 with a file, one a thread: made, of 128 MiB, all hole,
 * its name removed. Each round writes every page through a mapping of it.
 *
 *   page_fault2   private   a copy of the cached page: a page is taken, and freed by the unmapping
 *   page_fault3   shared    the cached page itself, marked dirty; nothing is taken or freed
 *
 * The cache   is full from the start, as it is there after the first round: each file is mapped once more and touched, at no cost, and
 *             the thread begins with unmapping that. The core makes a hole's pages by itself: nothing is read.
 * Linux       /tmp as a tmpfs. A file system that keeps a journal asks it at each first write (page_mkwrite): not here.
 */
import { MapFlag } from "../../core/abi/mman.js";
import { memoryCall, RW, type Workload } from "../workload.js";
import { BYTES, PAGES, rounds } from "./pageFault1.js";

/** The first round's mappings: 2 MiB apart, so that they share no table. */
const FIRST_AT = 0x20_0000_0000;
const STRIDE = 2 * Number(BYTES);
const SHARED = MapFlag.Shared;
const PRIVATE = MapFlag.Private;

export const pageFault2 = fileFaults("page_fault2", "the same with a file, privately: a copy of each page", PRIVATE);
export const pageFault3 = fileFaults("page_fault3", "the same with a file, shared: each page becomes dirty", SHARED);

function fileFaults(name: string, about: string, flags: number): Workload {
  const fresh = flags === PRIVATE;
  return {
    name,
    about: `${about} (will-it-scale, in threads)`,
    counts: "faults",
    pages: (threads) => threads * (fresh ? 3 : 1) * (PAGES + 16),
    prepare(plain, cpu, threads) {
      for (let i = 0; i < threads; i++) {
        plain.hostOpen(cpu, fileOf(i), BYTES, 0n);
        const first = SHARED | MapFlag.Fixed | MapFlag.Populate;
        plain.sysMmap(cpu, BigInt(FIRST_AT + i * STRIDE), BYTES, RW, first, fileOf(i), 0n);
      }
    },
    *program(thread) {
      const { cpu, core } = thread;
      const first = BigInt(FIRST_AT + cpu.index * STRIDE);
      yield* memoryCall(thread, () => core.sysMunmap(cpu.area, first, BYTES));
      yield* rounds(thread, flags, fileOf(cpu.index), fresh);
    },
  };
}

const fileOf = (thread: number): number => thread + 1;
