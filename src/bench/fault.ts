/**
 * bench/fault.ts: faults a second under each policy and protection, from the entry point a guest's TLB miss calls.
 *
 *   hot     64 pages: mapped, faulted in and unmapped over and over; frames stay in the processor's caches
 *   cold    128 MiB a thread: every frame comes from memory
 *   space   1,000 VMAs beside the ones measured
 *
 * How        one memory for each policy and protection, its workers alive throughout; samples go round the policies in turn, so that a
 *            noisy neighbour of this machine disturbs all of them alike; medians, and the middle half as the spread.
 * Beside     zeroing the same pages alone, and the same loop by the native kernel (guest/storm without a mutator).
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { Layout, MapFlag, Policy, Pretouch, Prot, Tables } from "../core/abi/mman.js";
import { clockSince, instantiateMemoryCore } from "../embed/memoryCore.js";
import type { BenchInit, Order, Sample } from "./faultworker.js";
import { gateBytes } from "./gate.js";
import { Samples, type Spread } from "./median.js";

export const HOT_PAGES = 64;
export const COLD_PAGES = 32768;
const MEMORY_PAGES = 16384;
const VMAS = 1000;
const WASM_PAGE = 65536;
const PLACE = 1n << 35n;

/** Pages a second over all threads. */
export interface FaultRow extends Spread {
  /** The policy, or the rival. */
  readonly name: string;
  /** The protection; "" for a rival. */
  readonly tables: string;
  readonly threads: number;
  readonly pages: number;
}

export interface FaultOptions {
  readonly threads: readonly number[];
  readonly tables: readonly string[];
  readonly samples: number;
  readonly milliseconds: number;
  /** Folder of the built worker; the core lies one above. */
  readonly directory: URL;
  /** The native storm, where there is one. */
  readonly native?: string | undefined;
  readonly progress: (text: string) => void;
  readonly stopped: () => boolean;
}

export const PROTECTIONS: Readonly<Record<string, Tables>> = { rcu: Tables.Rcu, irq: Tables.Irq };
export const POLICIES: ReadonlyArray<readonly [string, Policy]> = [
  ["mmap-lock", Policy.MmapLock],
  ["spf", Policy.Spf],
  ["vma-lock", Policy.VmaLock],
  ["optimistic", Policy.Optimistic],
];

/** One row for each policy, kind of loop and number of threads; also those that were complete when it was stopped. */
export async function benchFaults(options: FaultOptions): Promise<FaultRow[]> {
  const { threads, tables, samples, milliseconds, native, progress, stopped } = options;
  const most = Math.max(...threads);
  const groups = tables.flatMap((protection) =>
    POLICIES.map(([name, policy]) => new Group(name, policy, protection, most, options.directory, MEMORY_PAGES)),
  );
  const rows: FaultRow[] = [];
  try {
    for (const pages of [HOT_PAGES, COLD_PAGES]) {
      for (const n of threads) {
        const seen = new Samples();
        for (let sample = 0; sample < samples && !stopped(); sample++) {
          progress(`fault: ${pages} pages, ${n} threads, sample ${sample + 1} of ${samples}`);
          for (const group of groups)
            seen.note(group.key, await group.sample({ kind: "fault", pages, milliseconds, threads: n }));
          const first = groups[0] as Group;
          seen.note("zeroing alone/", await first.sample({ kind: "zero", pages, milliseconds, threads: n }));
          if (native) seen.note("native/", await nativeRate(native, n, pages, milliseconds));
        }
        for (const [key, spread] of seen.rows()) {
          const [name = "", tables = ""] = key.split("/");
          rows.push({ name, tables, threads: n, pages, ...spread });
        }
      }
    }
  } finally {
    for (const group of groups) group.close();
  }
  return rows;
}

/** One memory under one policy, and its workers. */
export class Group {
  private readonly gate: SharedArrayBuffer;
  private readonly workers: Worker[];

  readonly key: string;

  /** `pages`: of its memory, 64 KiB each. */
  constructor(
    name: string,
    policy: Policy,
    protection: string,
    threads: number,
    directory: URL,
    pages: number,
    pretouch = Pretouch.None,
  ) {
    this.key = `${name}/${protection}`;
    this.gate = new SharedArrayBuffer(gateBytes(threads));
    const module = new WebAssembly.Module(readFileSync(new URL("../core.wasm", directory)));
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const originMs = performance.timeOrigin;
    const core = instantiateMemoryCore(module, memory, clockSince(originMs));
    const tables = PROTECTIONS[protection] as Tables;
    if (core.boot(pages * WASM_PAGE, threads, policy, tables, Layout.Page, pretouch) < 0)
      throw new Error("bench: the core does not boot");
    const cpu = core.cpuArea(0);
    core.cpuOnline(cpu);
    for (let i = 0; i < VMAS; i++) {
      const flags = MapFlag.Private | MapFlag.Anonymous | MapFlag.FixedNoReplace;
      const at = PLACE + BigInt(i) * 8192n;
      if (core.sysMmap(cpu, at, 4096n, Prot.Read, flags, 0, 0n) !== at) throw new Error("bench: mmap");
    }
    core.cpuOffline(cpu);
    this.workers = Array.from({ length: threads }, (_, index) => {
      const init: BenchInit = { module, memory, index, gate: this.gate, originMs };
      return new Worker(new URL("faultworker.js", directory), { workerData: init, execArgv: [] });
    });
  }

  /** Pages a second, over the threads that the order names. */
  async sample(order: Order): Promise<number> {
    new Int32Array(this.gate, 0, 4).fill(0);
    const samples = this.workers.slice(0, order.threads).map(
      (worker) =>
        new Promise<Sample>((resolve, reject) => {
          worker.once("error", reject);
          worker.once("message", (sample: Sample) => {
            worker.off("error", reject);
            resolve(sample);
          });
          worker.postMessage(order);
        }),
    );
    return (await Promise.all(samples)).reduce((sum, { pages, nanoseconds }) => sum + (pages * 1e9) / nanoseconds, 0);
  }

  close(): void {
    for (const worker of this.workers) void worker.terminate();
  }
}

function nativeRate(program: string, threads: number, pages: number, milliseconds: number): Promise<number> {
  const perThread = Math.min(pages, 65535);
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  const args = ["-t", `${threads}`, "-m", "none", "-p", `${perThread}`, "-s", `${seconds}`];
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
    });
    child.on("error", reject);
    child.on("close", () => resolve(Number(/^total .*rate=(\d+)/m.exec(output)?.[1] ?? Number.NaN)));
  });
}
