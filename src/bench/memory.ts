/**
 * bench/memory.ts: what each memory operation costs a guest program (guest/membench.c), beside native and qemu-user: one
 * thread, more, and those with a thread that maps, protects and unmaps beside them.
 *
 * How       samples go round all contenders in turn, so that a noisy neighbour disturbs all alike; medians, and the middle
 *           half. One process a sample measures every test, each for a fixed time from a common start. A call that a
 *           contender refuses has no row: qemu-user has no process_vm_readv and executes no riscv64 program from inside.
 */
import type { ChildProcess } from "node:child_process";
import { type Contender, run } from "./contender.js";
import { Samples, type Spread } from "./median.js";

/** Operations a second over all threads. */
export interface MemoryRow extends Spread {
  readonly name: string;
  readonly test: string;
  readonly threads: number;
  readonly mutator: boolean;
}

export interface MemoryOptions {
  readonly contenders: readonly Contender[];
  readonly threads: readonly number[];
  readonly samples: number;
  readonly milliseconds: number;
  readonly progress: (text: string) => void;
  readonly complain: (line: string) => void;
  readonly adopt: (child: ChildProcess) => void;
  readonly stopped: () => boolean;
}

/** Test of guest/membench.c, and what one operation of it is. */
export const MEMORY_TESTS: Readonly<Record<string, string>> = {
  mmap: "mmap + munmap",
  mprotect: "mprotect flip",
  dontneed: "DONTNEED cycle",
  fork: "fork + exit, 64 MiB",
  exec: "fork + exec, 64 MiB",
  cow: "copy-on-write",
  fileread: "file read",
  filesingle: "file read, RANDOM",
  shared: "shared write",
  memfd: "memfd write",
  vmread: "vm_readv, 4 KiB",
};

export async function benchMemory(options: MemoryOptions): Promise<MemoryRow[]> {
  const { contenders, threads, samples, milliseconds, progress, complain, adopt, stopped } = options;
  const most = Math.max(...threads);
  const modes = [...threads.map((n) => ({ n, mutator: false })), { n: most, mutator: true }];
  const tests = Object.keys(MEMORY_TESTS);
  const rows: MemoryRow[] = [];
  for (const { n, mutator } of modes) {
    const seen = new Map(tests.map((test) => [test, new Samples()]));
    for (let sample = 0; sample < samples && !stopped(); sample++) {
      for (const contender of contenders) {
        if (stopped()) break;
        const beside = mutator ? ", mutator" : "";
        progress(`memory: ${n} threads${beside}, ${contender.name}, sample ${sample + 1} of ${samples}`);
        const args = ["-t", `${n}`, ...(mutator ? ["-m"] : []), "-s", (milliseconds / 1000).toFixed(3), ...tests];
        const output = await run(contender, "membench", args, adopt, stopped() ? () => {} : complain);
        for (const [test, rate] of measuredRates(output ?? "")) seen.get(test)?.note(contender.name, rate);
      }
    }
    for (const [test, of] of seen)
      for (const [name, spread] of of.rows()) rows.push({ name, test, threads: n, mutator, ...spread });
  }
  return rows;
}

/** Each "TEST operations nanoseconds" as operations a second; "TEST errno N" has no figure. */
function measuredRates(output: string): [test: string, rate: number][] {
  return [...output.matchAll(/^(\w+) (\d+) (\d+)$/gm)].map(([, test, operations, ns]) => [
    test as string,
    (Number(operations) * 1e9) / Number(ns),
  ]);
}
