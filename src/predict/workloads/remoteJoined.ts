/**
 * Remote readers that join the space's cpumask for the length of each read: what makes interrupts off protect them, too, for
 * then every round of interrupts comes to them. Else as remote_readers.
 */
import { Advice } from "../../core/abi/mman.js";
import { BASE, FIXED, memoryCall, PAGE, RW, touch, type Workload, WRITE } from "../workload.js";

const PAGES = 1024;
const STRIDE = PAGES * PAGE;
const READ_BYTES = 64;

export const remoteJoined: Workload = {
  name: "remote_joined",
  about: "as remote_readers, each read from inside the space's cpumask",
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
        yield () => core.joinSpace(cpu.area);
        yield* memoryCall(thread, () => core.remoteRead(cpu.area, space, core.bounce(cpu.area), from, READ_BYTES));
        yield () => core.leaveSpace(cpu.area);
      } else {
        const page = i % PAGES;
        yield* touch(thread, base + page * PAGE, WRITE);
        if (page % 64 === 63) {
          const at = BigInt(base + (page - 15) * PAGE);
          yield* memoryCall(thread, () => core.sysMadvise(cpu.area, at, BigInt(16 * PAGE), Advice.DontNeed));
        }
      }
      thread.ended();
    }
    if (reader) yield () => core.joinSpace(cpu.area);
  },
};
