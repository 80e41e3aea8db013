/**
 * A plan as a workload: groups of simulated CPUs, each group the recorded ones once more in the same space, at addresses of its own.
 *
 *   group g   addresses of the plan + BASE + g × stride        files of its own
 *   event     the program runs; what it waits for is over; then the call or the access, as any workload's
 */
import { Limit } from "../../core/abi/limit.js";
import { MapFlag, MremapFlag, Populate } from "../../core/abi/mman.js";
import type { CoreWords } from "../core.js";
import { ModelError } from "../json.js";
import { type Program, Spent, type Step } from "../processor.js";
import { BASE, memoryCall, type Thread, touch, type Workload } from "../workload.js";
import type { Op, Plan } from "./plan.js";

/** A running program answers interrupts at once, and is quiescent this often. */
const TICK_NS = 100_000;
/** Who waits looks again after a share of what it has waited, between these. */
const LOOK_NS = 200;
const LOOKS_NS = 20_000;
/** Groups share no table of the middle level. */
const GIB = 2 ** 30;
const TASK_BYTES = 2 ** 38;
/** What one memory holds, less room for the simulated CPUs' own. */
const MOST_PAGES = Math.floor((3.7 * GIB) / (4096 + 64));

export function replayOf(plan: Plan, compute: number): Workload {
  const { streams } = plan;
  const stride = Math.ceil(plan.span / GIB) * GIB;
  /** By CPU: how many of its events are over. */
  let done = new Int32Array(0);
  return {
    name: plan.program,
    about: `a recording of ${streams.length} CPUs`,
    counts: "faults",
    toEnd: true,
    pages: (cpus) => groupsOf(plan, cpus) * Math.ceil(plan.pages * 1.1),
    prepare(plain, cpu, cpus) {
      done = new Int32Array(cpus);
      plain.setLimit(cpu, Limit.Privileged, 1n);
      for (let group = 0; group < groupsOf(plan, cpus); group++) {
        for (const [i, bytes] of plan.files.entries()) {
          plain.hostOpen(cpu, fileOf(plan, group, i + 1), BigInt(bytes), 0n);
        }
        for (const map of plan.before) mapAt(plain, cpu, map, BASE + group * stride, fileOf(plan, group, map.object));
      }
    },
    *program(thread): Program {
      const { cpu } = thread;
      const group = Math.floor(cpu.index / streams.length);
      const first = group * streams.length;
      for (const { gapNs, waits, op } of streams[cpu.index - first]) {
        yield* runFor(thread, gapNs * compute);
        for (let i = 0; i < waits.length; i += 2) yield* waitFor(thread, () => done[first + waits[i]] > waits[i + 1]);
        yield* perform(thread, op, BASE + group * stride, (object) => fileOf(plan, group, object));
        done[cpu.index]++;
      }
    },
  };
}

/** Numbers of CPUs that the plan can be replayed on, the least first. */
export function mayReplay(plan: Plan, most: number): number[] {
  const one = plan.streams.length;
  const fits = Math.min(
    Math.floor(most / one),
    Math.floor((TASK_BYTES - GIB) / (Math.ceil(plan.span / GIB) * GIB)),
    Math.floor(MOST_PAGES / (plan.pages * 1.1)),
  );
  return Array.from({ length: fits }, (_, i) => (i + 1) * one);
}

function groupsOf({ streams }: Plan, cpus: number): number {
  if (cpus % streams.length !== 0) throw new ModelError(`${cpus} CPUs; the recording has ${streams.length}`);
  return cpus / streams.length;
}

function fileOf({ files }: Plan, group: number, object: number): number {
  return object === 0 ? 0 : group * files.length + object;
}

function* runFor({ cpu, core }: Thread, ns: number): Generator<Step, void, number> {
  for (let left = ns; left > 0; left -= TICK_NS) {
    yield { ns: Math.min(left, TICK_NS), what: Spent.Program };
    if (left > TICK_NS) yield () => core.kernelExit(cpu.area);
  }
}

function* waitFor({ cpu, core }: Thread, over: () => boolean): Generator<Step, void, number> {
  const since = cpu.time;
  while (!over()) {
    yield { ns: Math.min(LOOKS_NS, Math.max(LOOK_NS, (cpu.time - since) / 8)), what: Spent.Asleep };
    yield () => core.kernelExit(cpu.area);
  }
}

function* perform(
  thread: Thread,
  op: Op,
  shift: number,
  fileIn: (object: number) => number,
): Generator<Step, void, number> {
  if (op.do === "touch") {
    const exit = yield* touch(thread, op.address + shift, op.access, op.fresh);
    if ((exit === 0) !== op.done) thread.differed();
    thread.ended();
    return;
  }
  if (op.do === "begin") return;
  const began = thread.cpu.time;
  yield* memoryCall(thread, callOf(thread, op, shift, fileIn), "pages" in op ? op.pages : 0);
  if (thread.result < 0) thread.differed();
  if (op.do === "lock") yield* bringIn(thread, op.address + shift, op.bytes);
  if (op.do === "unmap") thread.unmaps.add(thread.cpu.time - began);
}

/** What mlock does once it has marked its range. */
function* bringIn({ cpu: { area }, core }: Thread, at: number, bytes: number): Generator<Step, void, number> {
  yield () => core.populateRange(area, BigInt(at), BigInt(at + bytes), Populate.Locked);
  yield () => core.kernelExit(area);
}

type MemoryOp = Exclude<Op, { do: "touch" | "begin" }>;

function callOf({ cpu: { area }, core }: Thread, op: MemoryOp, shift: number, fileIn: (object: number) => number) {
  if (op.do === "clone") return () => 0;
  // The end of the heap is one for the space: growing it is a map, asking for it is this.
  if (op.do === "brk") return () => core.sysBrk(area, 0n);
  const [at, bytes] = [BigInt(op.address + shift), BigInt(op.bytes)];
  if (op.do === "map") return () => mapAt(core, area, op, shift, fileIn(op.object));
  if (op.do === "unmap") return () => core.sysMunmap(area, at, bytes);
  if (op.do === "protect") return () => core.sysMprotect(area, at, bytes, op.prot);
  if (op.do === "advise") return () => core.sysMadvise(area, at, bytes, op.advice);
  if (op.do === "unlock") return () => core.sysMunlock(area, at, bytes);
  if (op.do === "lock") return () => core.sysMlock(area, at, bytes, op.flags);
  const moves = op.to !== op.address;
  const flags = moves ? op.flags | MremapFlag.MayMove | MremapFlag.Fixed : op.flags & ~MremapFlag.Fixed;
  return () => core.sysMremap(area, at, bytes, BigInt(op.newBytes), flags, moves ? BigInt(op.to + shift) : 0n);
}

function mapAt(core: CoreWords, area: number, op: Extract<Op, { do: "map" }>, shift: number, object: number): bigint {
  const { address, bytes, prot, flags, offset } = op;
  return core.sysMmap(
    area,
    BigInt(address + shift),
    BigInt(bytes),
    prot,
    flags | MapFlag.Fixed,
    object,
    BigInt(offset),
  );
}
