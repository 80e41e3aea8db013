/**
 * Workloads: small programs of threads against the core's entry points, each beside what Linux would do around it.
 *
 * A program tells when each of its operations ended, and goes on until all threads together have done enough: a thread that is
 * faster than the others does more. With `toEnd` each does what it has to do.
 */
import { Access } from "../core/abi/exit.js";
import { MapFlag, Prot } from "../core/abi/mman.js";
import type { CoreWords } from "./core.js";
import type { Marks } from "./footprint.js";
import type { Linux } from "./linux.js";
import type { Processor, Program, Step } from "./processor.js";
import type { Random } from "./random.js";
import type { Samples } from "./samples.js";

export interface Thread {
  readonly cpu: Processor;
  readonly core: CoreWords;
  readonly linux: Linux;
  readonly random: Random;
  /** Operations each thread does on average: together they stop at so many times the threads. */
  readonly operations: number;
  readonly threads: number;
  /** What a fault, and a call, costs in software that the core does not have. */
  readonly faultNs: number;
  readonly callNs: number;
  readonly faults: Samples;
  readonly unmaps: Samples;
  readonly marks: Marks;
  /** What the last memory call answered. */
  result: number;
  /** Whether to go on. */
  more(): boolean;
  /** Something ended otherwise than it was to. */
  differed(): void;
  /** An operation is over: what the workload's rate counts. */
  ended(): void;
}

export interface Workload {
  readonly name: string;
  readonly about: string;
  /** What is counted: "faults", "loops". */
  readonly counts: string;
  /** Its programs end by themselves, and the whole counts, from the start. */
  readonly toEnd?: boolean;
  /** Pages of memory the whole needs at most. */
  pages(threads: number, operations: number): number;
  /** Before the threads start: mappings, by CPU 0, at no cost. */
  prepare(plain: CoreWords, cpu: number, threads: number, operations: number): void;
  program(thread: Thread): Program;
}

export const PAGE = 4096;
export const BASE = 0x1000_0000;
export const RW = Prot.Read | Prot.Write;
export const READ = Access.Read;
export const WRITE = Access.Write;
/** Private and anonymous: wherever there is room, and at the address given. */
export const ANYWHERE = MapFlag.Private | MapFlag.Anonymous;
export const FIXED = ANYWHERE | MapFlag.Fixed;

/** Of a fault's software: before the lock is wanted, and between taking and releasing it. The rest is the way back. */
const ENTRY_SHARE = 0.25;
const INSIDE_SHARE = 0.55;

/**
 * An access to a page that is not there: the fault and its way, as Linux would take it. `fresh`: a page is taken for it, which
 * is counted and listed; a page of a file's cache was before. Returns what the fault ended with (abi/exit.ts).
 */
export function* touch(
  thread: Thread,
  address: number,
  access: number,
  fresh = access === WRITE,
): Generator<Step, number, number> {
  const { cpu, core, linux, faultNs } = thread;
  const began = cpu.time;
  const va = BigInt(address);
  yield faultNs * ENTRY_SHARE;
  yield* linux.entry();
  if (fresh) yield* linux.page(cpu);
  cpu.insideNs = faultNs * INSIDE_SHARE;
  thread.marks.beginFault(cpu);
  const exit = yield () => core.fill(cpu.area, va, access);
  thread.marks.endFault(cpu);
  // What is to be paid inside, where neither a page was cleared or copied nor a table's lock taken.
  const unpaid = cpu.insideNs;
  cpu.insideNs = 0;
  yield unpaid + faultNs * (1 - ENTRY_SHARE - INSIDE_SHARE);
  yield () => core.kernelExit(cpu.area);
  thread.faults.add(cpu.time - began);
  return exit;
}

/** A memory call; one that unmaps so many pages. */
export function* memoryCall(thread: Thread, call: () => unknown, unmaps = 0): Generator<Step, void, number> {
  const { cpu, core, callNs } = thread;
  yield callNs;
  if (unmaps > 0) yield* thread.linux.unmap(cpu, unmaps);
  yield call;
  thread.result = cpu.result;
  if (unmaps > 0) yield* thread.linux.unmapped();
  yield () => core.kernelExit(cpu.area);
}
