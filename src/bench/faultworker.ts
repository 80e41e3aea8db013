/**
 * bench/faultworker.ts: one CPU of the fault benchmark.
 *
 *   hot, cold   map the region, fault in each page with the entry point a guest's TLB miss calls, unmap; again and again
 *   shared      the same with one region for all: threads touch its pages in turn, and so share its tables. Counted is the touching,
 *               of rounds in which all were at work together, and of these the one at the first quartile: a thread that the
 *               host puts aside says nothing of what threads do to each other
 *   zero        zero as many pages of the same memory, in the same order: what no fault can be faster than
 *
 * A sample starts when every worker that takes part has arrived, and each counts what it did until its own end.
 */
import { parentPort, workerData } from "node:worker_threads";
import { Access } from "../core/abi/exit.js";
import { MapFlag, Prot } from "../core/abi/mman.js";
import { clockSince, instantiateMemoryCore } from "../embed/memoryCore.js";
import { roundOf, timesOf } from "./gate.js";
import { quartiles } from "./median.js";

export interface BenchInit {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly index: number;
  /** gate.ts */
  readonly gate: SharedArrayBuffer;
  readonly originMs: number;
}

export interface Order {
  readonly kind: "fault" | "shared" | "zero";
  readonly pages: number;
  readonly milliseconds: number;
  readonly threads: number;
}

export interface Sample {
  readonly pages: number;
  readonly nanoseconds: number;
}

const PAGE = 4096;
const REGION = 1n << 36n;
const REGION_GAP = 1n << 31n;
/** Rounds of polling before a thread that waits for the others sleeps a little. */
const PATIENCE = 20_000;
const NAP_MS = 0.05;
/** With fewer rounds that count there is no figure. */
const LEAST_ROUNDS = 20;
const FLAGS = MapFlag.Private | MapFlag.Anonymous | MapFlag.FixedNoReplace;

/** (func (param i32 i32) local.get 0, i32.const 0, local.get 1, memory.fill) over the shared memory. */
const ZERO = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 2, 127, 127, 0, 2, 18, 1, 3, 101, 110, 118, 6, 109, 101, 109, 111, 114],
  ...[121, 2, 3, 1, 128, 128, 4, 3, 2, 1, 0, 7, 8, 1, 4, 122, 101, 114, 111, 0, 0, 10, 13, 1, 11, 0, 32, 0, 65, 0, 32],
  ...[1, 252, 11, 0, 11],
);

const { module, memory, index, gate, originMs } = workerData as BenchInit;
const clock = clockSince(originMs);
const core = instantiateMemoryCore(module, memory, clock);
const cpu = core.cpuArea(index);
const arrived = new Int32Array(gate, 0, 4);
const zeroModule = new WebAssembly.Module(ZERO);
const { zero } = new WebAssembly.Instance(zeroModule, { env: { memory } }).exports as {
  zero: (at: number, bytes: number) => void;
};

const WORK = { fault: faults, shared, zero: zeroes };

parentPort?.on("message", (order: Order) => {
  parentPort?.postMessage(WORK[order.kind](order));
});

/** Waits until all have come; nothing of the core is held meanwhile. */
function meet(threads: number): void {
  if (Atomics.add(arrived, 0, 1) + 1 === threads) Atomics.notify(arrived, 0);
  for (let n = Atomics.load(arrived, 0); n < threads; n = Atomics.load(arrived, 0)) Atomics.wait(arrived, 0, n);
}

function faults({ pages, milliseconds, threads }: Order): Sample {
  const at = REGION + BigInt(index) * REGION_GAP;
  const bytes = BigInt(pages * PAGE);
  meet(threads);
  core.cpuOnline(cpu);
  const from = clock();
  let rounds = 0;
  while (clock() - from < milliseconds * 1e6) {
    if (core.sysMmap(cpu, at, bytes, Prot.Read | Prot.Write, FLAGS, 0, 0n) !== at) throw new Error("bench: mmap");
    if (core.fillRange(cpu, at, at + bytes, Access.Write) !== 0) throw new Error("bench: a fault was refused");
    if (core.sysMunmap(cpu, at, bytes) !== 0n) throw new Error("bench: munmap");
    core.kernelExit(cpu);
    rounds++;
  }
  const nanoseconds = clock() - from;
  core.cpuOffline(cpu);
  return { pages: rounds * pages, nanoseconds };
}

function shared({ pages, milliseconds, threads }: Order): Sample {
  const end = REGION + BigInt(pages * PAGE);
  const first = REGION + BigInt(index * PAGE);
  const step = BigInt(threads * PAGE);
  const times = timesOf(gate);
  const rounds: number[] = [];
  let meetings = 0;
  const together = () => pollTogether(++meetings * threads);
  meet(threads);
  core.cpuOnline(cpu);
  const from = clock();
  // All leave after the same round: the first thread says before a meeting that it is the last.
  for (let over = false; !over; ) {
    if (index === 0) {
      if (core.sysMmap(cpu, REGION, end - REGION, Prot.Read | Prot.Write, FLAGS, 0, 0n) !== REGION)
        throw new Error("bench: mmap");
      if (clock() - from >= milliseconds * 1e6) Atomics.store(arrived, 2, 1);
    }
    together();
    over = Atomics.load(arrived, 2) !== 0;
    times[2 * index] = clock();
    if (core.fillEvery(cpu, first, end, step, Access.Write) !== 0) throw new Error("bench: a fault was refused");
    times[2 * index + 1] = clock();
    together();
    if (index !== 0) continue;
    rounds.push(roundOf(times, threads));
    if (core.sysMunmap(cpu, REGION, end - REGION) !== 0n) throw new Error("bench: munmap");
  }
  core.cpuOffline(cpu);
  if (index !== 0) return { pages: 0, nanoseconds: 1 };
  const counted = rounds.filter(Number.isFinite);
  return { pages, nanoseconds: counted.length >= LEAST_ROUNDS ? quartiles(counted).low : Number.NaN };
}

/** Waits until there were so many arrivals, and answers whoever unmaps meanwhile. */
function pollTogether(arrivals: number): void {
  if (Atomics.add(arrived, 1, 1) + 1 === arrivals) Atomics.notify(arrived, 1);
  let polls = 0;
  for (let n = Atomics.load(arrived, 1); n < arrivals; n = Atomics.load(arrived, 1)) {
    core.kernelExit(cpu);
    if (++polls > PATIENCE) Atomics.wait(arrived, 1, n, NAP_MS);
  }
}

/** At the memory's end, which the faults, a quarter of it at most, never reach. */
function zeroes({ pages, milliseconds, threads }: Order): Sample {
  const base = memory.buffer.byteLength - (index + 1) * pages * PAGE;
  meet(threads);
  const from = clock();
  let rounds = 0;
  while (clock() - from < milliseconds * 1e6) {
    for (let page = 0; page < pages; page++) zero(base + page * PAGE, PAGE);
    rounds++;
  }
  return { pages: rounds * pages, nanoseconds: clock() - from };
}
