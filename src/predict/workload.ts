/**
 * Workloads: small programs of threads against the core's entry points, each beside what Linux would do around it.
 *
 * A program counts `done` operations and notes when each ended and how long it took; what is measured is the time between the
 * moment the last thread has warmed up and the moment the first is done.
 */
import type { CoreWords } from "./core.js";
import type { Linux } from "./linux.js";
import type { Processor, Program, Step } from "./processor.js";
import type { Random } from "./random.js";
import type { Samples } from "./samples.js";

export interface Thread {
  readonly cpu: Processor;
  readonly core: CoreWords;
  readonly linux: Linux;
  readonly random: Random;
  /** Operations each thread is to do, those of the warm-up among them. */
  readonly operations: number;
  readonly threads: number;
  /** What a fault, and a call, costs in software that the core does not have. */
  readonly faultNs: number;
  readonly callNs: number;
  readonly faults: Samples;
  readonly unmaps: Samples;
  /** An operation is over: what the workload's rate counts. */
  ended(): void;
}

export interface Workload {
  readonly name: string;
  readonly about: string;
  /** What is counted: "faults", "loops". */
  readonly counts: string;
  /** Pages of memory the whole needs at most. */
  pages(threads: number, operations: number): number;
  /** Before the threads start: mappings, by CPU 0, at no cost. */
  prepare(plain: CoreWords, cpu: number, threads: number, operations: number): void;
  program(thread: Thread): Program;
}

export const PAGE = 4096;
export const BASE = 0x1000_0000;
export const RW = 3;
export const WRITE = 1;
/** Private, anonymous, at this address. */
export const FIXED = 0x32;

/** Of a fault's software: before the lock is wanted, and between taking and releasing it. The rest is the way back. */
const ENTRY_SHARE = 0.25;
const INSIDE_SHARE = 0.55;

/** A write to a page that is not there: the fault and its way, as Linux would take it. */
export function* touch(thread: Thread, address: number): Generator<Step, void, number> {
  const { cpu, core, linux, faultNs } = thread;
  const began = cpu.time;
  const va = BigInt(address);
  yield faultNs * ENTRY_SHARE;
  yield* linux.entry();
  yield* linux.page(cpu);
  cpu.insideNs = faultNs * INSIDE_SHARE;
  yield () => core.fill(cpu.area, va, WRITE);
  yield faultNs * (1 - ENTRY_SHARE - INSIDE_SHARE);
  yield () => core.kernelExit(cpu.area);
  thread.faults.add(cpu.time - began);
}

/** A memory call. */
export function* memoryCall(thread: Thread, call: () => unknown): Generator<Step, void, number> {
  const { cpu, core, callNs } = thread;
  yield callNs;
  yield call;
  yield () => core.kernelExit(cpu.area);
}
