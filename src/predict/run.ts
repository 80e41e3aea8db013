/**
 * One simulated run: a machine, a workload, so many threads, a policy; and what came of it.
 *
 * Rate       all threads run until together they have done so many operations; the rate is that of the last 85 % of them. Where
 *            each has its own to do, it is that of the whole, until the last one is done.
 * Software   what a fault costs beside the core: the machine's one-thread fault under mmapLock, less what a run on one CPU
 *            with no such cost takes. So every machine is put on its published one-thread figure, base, once.
 */
import { Counter } from "../core/abi/counter.js";
import { Layout, Policy, Pretouch, Tables } from "../core/abi/mman.js";
import type { CoreBuild } from "./core.js";
import { type Footprint, Marks } from "./footprint.js";
import { Linux } from "./linux.js";
import { type LayoutName, type Machine, ModelError, valuesOf } from "./machine.js";
import { type Program, SPENT_NAMES } from "./processor.js";
import { Random } from "./random.js";
import { type Quantiles, Samples } from "./samples.js";
import { Simulator } from "./simulator.js";
import type { Thread, Workload } from "./workload.js";

const COUNTED = "spf-counted";

export const POLICIES: Readonly<Record<string, Policy>> = {
  "mmap-lock": Policy.MmapLock,
  spf: Policy.Spf,
  "vma-lock": Policy.VmaLock,
  "vma-refcount": Policy.VmaRefcount,
  optimistic: Policy.Optimistic,
  // spf, with one count of readers in each VMA going up and down around the copy: what its author measured and rejected.
  [COUNTED]: Policy.Spf,
};
export const PROTECTIONS: Readonly<Record<string, Tables>> = { rcu: Tables.Rcu, irq: Tables.Irq };
export const LAYOUTS: Readonly<Record<LayoutName, Layout>> = {
  page: Layout.Page,
  halves: Layout.Halves,
  fragments: Layout.Fragments,
};

export interface Request {
  readonly machine: Machine;
  readonly workload: Workload;
  readonly cpus: number;
  readonly policy: string;
  readonly tables: string;
  readonly layout: LayoutName;
  readonly seed: number;
  readonly operations: number;
  readonly pretouch?: Pretouch;
}

export interface Outcome {
  /** Operations a second, all threads together. */
  readonly rate: number;
  readonly operations: number;
  readonly ns: number;
  /** From the first thread's start to the last one's end. */
  readonly elapsedNs: number;
  /** Faults that the core took; what ended otherwise than it was to. */
  readonly faulted: number;
  readonly differed: number;
  /** Shares of the threads' time. */
  readonly spent: Readonly<Record<string, number>>;
  readonly faults: Quantiles;
  readonly unmaps: Quantiles;
  readonly ipis: Quantiles;
  readonly irqOff: Quantiles;
  readonly footprint: Footprint;
  readonly events: number;
  readonly switches: number;
  readonly transfers: number;
}

const QUANTUM_NS = 20;
const WARM_SHARE = 0.15;
/** Threads of a run do not start at one moment. */
const START_SPREAD_NS = 3000;
const SPARE_BYTES = 8 << 20;
/** Of the 4 GiB that wasm can address, what is left beside the stacks of the lanes. */
const MOST_BYTES = 3.75 * 2 ** 30;

export function simulate(build: CoreBuild, request: Request, softwareNs: number): Outcome {
  const { machine, workload, cpus, operations } = request;
  if (cpus > machine.cpus) throw new ModelError(`${machine.name}: ${cpus} CPUs; it has ${machine.cpus}`);
  const values = valuesOf(machine);
  const random = new Random(request.seed);
  const sim = new Simulator(build, {
    machine,
    values,
    cpus,
    policy: POLICIES[request.policy],
    tables: PROTECTIONS[request.tables],
    layout: LAYOUTS[request.layout],
    memoryBytes: memoryFor(build, request),
    quantumNs: QUANTUM_NS,
    pretouch: request.pretouch ?? Pretouch.None,
  });
  const linux = new Linux(sim, machine.topology.sockets, request.policy === COUNTED, (bound) => random.below(bound));
  const { plain, core } = sim.core;
  workload.prepare(plain, sim.cpus[0].area, cpus, operations);
  const marks = new Marks(sim);
  const ends = new Samples();
  const target = cpus * operations;
  let over = false;
  let differed = 0;
  const faults = new Samples();
  const unmaps = new Samples();
  const programs = sim.cpus.map((cpu): Program => {
    const thread: Thread = {
      cpu,
      core,
      linux,
      random,
      operations,
      threads: cpus,
      faultNs: softwareNs,
      callNs: values.call,
      faults,
      unmaps,
      result: 0,
      more: () => !over,
      marks,
      ended: () => {
        ends.add(cpu.time);
        marks.endOperation();
        if (ends.count === target) over = true;
      },
      differed: () => {
        differed++;
      },
    };
    return whole(workload.program(thread), () => core.cpuOffline(cpu.area));
  });
  sim.run(programs, () => random.between(0, START_SPREAD_NS));
  const elapsedNs = sim.cpus.reduce((latest, { time }) => Math.max(latest, time), 0);
  const { rate, counted, ns } = workload.toEnd
    ? { rate: (ends.count / elapsedNs) * 1e9, counted: ends.count, ns: elapsedNs }
    : rateOf(ends.values.slice(0, target).sort());
  const spent = SPENT_NAMES.map((_, i) => sim.cpus.reduce((sum, cpu) => sum + cpu.spent[i], 0));
  const all = spent.reduce((sum, each) => sum + each, 0);
  return {
    rate,
    operations: counted,
    ns,
    elapsedNs,
    faulted: sim.cpus.reduce((sum, { area }) => sum + Number(plain.counter(area, Counter.Faults)), 0),
    differed,
    spent: Object.fromEntries(SPENT_NAMES.map((name, i) => [name, spent[i] / all])),
    faults: faults.quantiles(),
    unmaps: unmaps.quantiles(),
    ipis: sim.ipis.quantiles(),
    irqOff: sim.irqOff.quantiles(),
    footprint: marks.result(ends.max(), values.gracePeriod),
    events: sim.events,
    switches: sim.switches,
    transfers: sim.net.transfers,
  };
}

function* whole(program: Program, offline: () => unknown): Program {
  yield* program;
  yield offline;
}

function memoryFor({ layout }: CoreBuild, { workload, cpus, operations }: Request): number {
  const pages = workload.pages(cpus, operations);
  const bytes = SPARE_BYTES + cpus * (layout["sync/cpu.ts"].CPU_BYTES + 96 * 4096) + pages * (4096 + 64);
  if (bytes > MOST_BYTES) {
    const need = `${cpus} threads with ${operations} operations each need ${(bytes / 2 ** 30).toFixed(1)} GiB`;
    throw new ModelError(`${workload.name}: ${need}; the simulated memory has ${MOST_BYTES / 2 ** 30} at most`);
  }
  return Math.ceil(bytes / 65536) * 65536;
}

/** Of the moments at which operations ended, in order, but for the first ones. */
function rateOf(ends: Float64Array): { rate: number; counted: number; ns: number } {
  const first = Math.floor(ends.length * WARM_SHARE);
  const counted = ends.length - 1 - first;
  const ns = ends[ends.length - 1] - ends[first];
  return { rate: (counted / ns) * 1e9, counted, ns };
}

/** What of a fault is neither the core's nor a line of the model's: see Software above. */
export function softwareOf(build: CoreBuild, machine: Machine, workload: Workload): number {
  const request: Request = {
    machine,
    workload,
    cpus: 1,
    policy: "mmap-lock",
    tables: "rcu",
    layout: "page",
    seed: 1,
    operations: 1500,
  };
  const bare = simulate(build, request, 0);
  return Math.max(0, machine.constants.fault.value - 1e9 / bare.rate);
}
