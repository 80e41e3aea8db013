/**
 * Remote readers: half of the threads read the memory of the space without running in it, as process_vm_readv does; the other half
 * touches pages, and gives a few back. A read, or a touch, is counted.
 *
 * With tables under RCU the reader takes no mmapLock; under irq it does, for interrupts off would protect nothing. One that joins
 * the space's cpumask for the length of each read is protected by interrupts off, too: every round of interrupts comes to it.
 */
import { Advice } from "../../core/abi/mman.js";
import { BASE, FIXED, memoryCall, PAGE, RW, touch, type Workload, WRITE } from "../workload.js";

const PAGES = 1024;
const STRIDE = PAGES * PAGE;
const READ_BYTES = 64;

export const remoteReaders = workload(
  "remote_readers",
  "every second thread reads the others' memory from outside the space (process_vm_readv)",
  false,
);
export const remoteJoined = workload(
  "remote_joined",
  "as remote_readers, each read from inside the space's cpumask",
  true,
);

function workload(name: string, about: string, joins: boolean): Workload {
  return {
    name,
    about,
    counts: "reads and touches",
    pages: (threads) => threads * (PAGES + 16),
    prepare(plain, cpu, threads) {
      plain.sysMmap(cpu, BigInt(BASE), BigInt(threads * STRIDE), RW, FIXED, 0, 0n);
    },
    *program(thread) {
      const { cpu, core, random, threads } = thread;
      const reader = cpu.index % 2 === 1;
      const base = BASE + cpu.index * STRIDE;
      const space = core.spaceOf(cpu.area);
      if (reader) yield () => core.leaveSpace(cpu.area);
      for (let i = 0; thread.more(); i++) {
        if (reader) {
          const owner = 2 * random.below((threads + 1) >> 1);
          const from = BigInt(BASE + owner * STRIDE + random.below(16) * PAGE);
          if (joins) yield () => core.joinSpace(cpu.area);
          yield* memoryCall(thread, () => core.remoteRead(cpu.area, space, core.bounce(cpu.area), from, READ_BYTES));
          if (joins) yield () => core.leaveSpace(cpu.area);
        } else {
          const page = i % PAGES;
          yield* touch(thread, base + page * PAGE, WRITE);
          if (page % 64 === 63) {
            const at = BigInt(base + (page - 15) * PAGE);
            yield* memoryCall(thread, () => core.sysMadvise(cpu.area, at, BigInt(16 * PAGE), Advice.DontNeed), 16);
          }
        }
        thread.ended();
      }
      if (reader) yield () => core.joinSpace(cpu.area);
    },
  };
}
