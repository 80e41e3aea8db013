/**
 * What a run leaves its marks on: the distinct lines that a fault touches and writes, and the memory that deferred frees hold back.
 *
 *   lines      of one fault in SAMPLE, between its call and its return, the CPU's own area and the page itself apart
 *   deferred   records that wait for a grace period of the core's, all CPUs together, looked at as operations end: the most
 *   tables     page tables deferred a second; what a kernel's grace period, much longer, would hold of them: rate × period
 */
import { Counter } from "../core/abi/counter.js";
import { CpuWord } from "../core/abi/word.js";
import type { Processor } from "./processor.js";
import { Samples } from "./samples.js";
import type { Simulator } from "./simulator.js";

/** No divisor of a batch of frames. */
const SAMPLE = 7;
const LOOK_EVERY = 64;
const TABLE_BYTES = 4096;

export interface Footprint {
  /** Means over the sampled faults. */
  readonly linesTouched: number;
  readonly linesWritten: number;
  readonly deferredMost: number;
  readonly tablesPerSecond: number;
  readonly heldBytes: number;
}

export class Marks {
  readonly #sim: Simulator;
  readonly #touched: (Set<number> | undefined)[];
  readonly #written: (Set<number> | undefined)[];
  readonly #touches = new Samples();
  readonly #writes = new Samples();
  #faults = 0;
  #ended = 0;
  #deferredMost = 0;

  constructor(sim: Simulator) {
    this.#sim = sim;
    this.#touched = sim.cpus.map(() => undefined);
    this.#written = sim.cpus.map(() => undefined);
    sim.watcher = (cpu, address, writes) => {
      this.#touched[cpu.index]?.add(address >>> 6);
      if (writes) this.#written[cpu.index]?.add(address >>> 6);
    };
  }

  beginFault({ index }: Processor): void {
    if (this.#faults++ % SAMPLE !== 0) return;
    this.#touched[index] = new Set();
    this.#written[index] = new Set();
  }

  endFault({ index }: Processor): void {
    const touched = this.#touched[index];
    if (!touched) return;
    this.#touches.add(touched.size);
    this.#writes.add(this.#written[index]!.size);
    this.#touched[index] = undefined;
    this.#written[index] = undefined;
  }

  endOperation(): void {
    if (this.#ended++ % LOOK_EVERY !== 0) return;
    const { plain } = this.#sim.core;
    let deferred = 0;
    for (const { index } of this.#sim.cpus) deferred += plain.cpuWord(index, CpuWord.Deferred);
    this.#deferredMost = Math.max(this.#deferredMost, deferred);
  }

  /** After the run, which took so long; with the machine's grace period in µs. */
  result(ns: number, gracePeriodUs: number): Footprint {
    const { plain } = this.#sim.core;
    const tables = this.#sim.cpus.reduce(
      (sum, { area }) => sum + Number(plain.counter(area, Counter.TablesDeferred)),
      0,
    );
    const tablesPerSecond = ns > 0 ? (tables / ns) * 1e9 : 0;
    return {
      linesTouched: mean(this.#touches.values),
      linesWritten: mean(this.#writes.values),
      deferredMost: this.#deferredMost,
      tablesPerSecond,
      heldBytes: tablesPerSecond * (gracePeriodUs / 1e6) * TABLE_BYTES,
    };
  }
}

function mean(all: Float64Array): number {
  return all.length === 0 ? 0 : all.reduce((sum, each) => sum + each, 0) / all.length;
}
