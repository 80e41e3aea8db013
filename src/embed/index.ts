/**
 * embed/index.ts: the memory manager alone, for programs that bring their own CPU: emulators, kernels, sandboxes.
 *
 *   one thread                            each worker
 *   createMemoryManager(options)          joinCpu(seat)
 *     └─ seat() ──postMessage──────────►    map, protect, unmap, advise, read, write, touch, run
 *   verify(), stats()                       leave()
 *
 * Promise    a Cpu is idle between its calls: no other CPU ever waits for it, whatever its thread does meanwhile. What it
 *            had translated is checked again when its next call begins.
 * Platform   none: the embedder compiles the core (build/core.wasm) and starts its own workers, anywhere that
 *            WebAssembly.Memory can be shared and Atomics.wait is allowed.
 * Errors     a refused call throws MemoryError (Linux's errno), a refused access AccessFault; a broken invariant of the
 *            core throws CoreBug, after which the memory is worth nothing.
 */
import { Counter } from "../core/abi/counter.js";
import { Errno } from "../core/abi/errno.js";
import { Access, SegvCode } from "../core/abi/exit.js";
import { Advice, Layout, MapFlag, Policy, Pretouch, Prot, Tables } from "../core/abi/mman.js";
import { Most } from "../core/abi/most.js";
import { Stat } from "../core/abi/stat.js";
import { bugText, CoreBug } from "../run/core.js";
import { Cpu, type CpuOptions } from "./cpu.js";
import { AccessFault, checked, MemoryError } from "./error.js";
import { clockSince, instantiateMemoryCore, type MemoryCore } from "./memoryCore.js";

export {
  Access,
  AccessFault,
  Advice,
  CoreBug,
  Counter,
  Cpu,
  type CpuOptions,
  Errno,
  MapFlag,
  MemoryError,
  Prot,
  SegvCode,
};

const WASM_PAGE = 65536;
const POLICIES = {
  optimistic: Policy.Optimistic,
  "mmap-lock": Policy.MmapLock,
  spf: Policy.Spf,
  "vma-lock": Policy.VmaLock,
  "vma-refcount": Policy.VmaRefcount,
} as const;
const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

export interface MemoryOptions {
  /** The compiled core: build/core.wasm. */
  readonly module: WebAssembly.Module;
  /** Physical memory, bytes or "64M"; what the manager itself needs comes out of it. */
  readonly memory: number | string;
  /** Most CPUs that may take part, 1 to 1,024: each takes 84 KiB of the memory. */
  readonly cpus: number;
  readonly policy?: keyof typeof POLICIES;
}

/** One CPU's place in the memory: send it to the worker that will be that CPU. */
export interface Seat {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly index: number;
  /** performance.timeOrigin of the creator: all clocks count from there. */
  readonly originMs: number;
}

export interface MemoryStats {
  readonly frames: number;
  readonly framesFree: number;
  readonly vmas: number;
  readonly faults: number;
  /** Faults served or decided under mmapLock. */
  readonly faultsLocked: number;
  readonly shootdowns: number;
}

/** The memory as its creator sees it. It is no CPU itself: it may take a seat like any other thread. */
export class MemoryManager {
  private taken = 0;

  constructor(
    private readonly core: MemoryCore,
    private readonly module: WebAssembly.Module,
    readonly memory: WebAssembly.Memory,
    readonly cpus: number,
    private readonly originMs: number,
  ) {}

  /** The next free place; MemoryError EAGAIN when all were given out. A seat may be used again after leave(). */
  seat(): Seat {
    if (this.taken === this.cpus) throw new MemoryError(Errno.EAGAIN, "seat");
    return { module: this.module, memory: this.memory, index: this.taken++, originMs: this.originMs };
  }

  /** Checks every structure; CoreBug names the first that is broken. Only while no Cpu is in a call. */
  verify(): void {
    const bug = this.core.verifySpace(this.core.cpuArea(0));
    if (bug !== 0) throw new CoreBug(bugText(bug));
  }

  /** Exact while no Cpu is in a call. */
  stats(): MemoryStats {
    return {
      frames: this.core.stat(Stat.Frames),
      framesFree: this.core.stat(Stat.FramesFree),
      vmas: this.core.stat(Stat.Vmas),
      faults: this.count(Counter.Faults),
      faultsLocked: this.count(Counter.FaultsLocked),
      shootdowns: this.count(Counter.Shootdowns),
    };
  }

  /** One of the core's counters, over all CPUs. */
  count(counter: Counter): number {
    let sum = 0n;
    for (let i = 0; i < this.cpus; i++) sum += this.core.counter(this.core.cpuArea(i), counter);
    return Number(sum);
  }
}

/** A new memory with an empty address space. MemoryError: ENOMEM too small or not to be had, EINVAL bad options. */
export function createMemoryManager(options: MemoryOptions): MemoryManager {
  const { module, cpus } = options;
  const policy = POLICIES[options.policy ?? "optimistic"];
  const pages = Math.floor(bytesOf(options.memory) / WASM_PAGE);
  const lawful = cpus >= 1 && cpus <= Most.Cpus && policy !== undefined && !Number.isNaN(pages);
  if (!lawful) throw new MemoryError(Errno.EINVAL, "createMemoryManager");
  const memory = reserve(pages);
  const originMs = performance.timeOrigin;
  const core = instantiateMemoryCore(module, memory, clockSince(originMs));
  checked(core.boot(pages * WASM_PAGE, cpus, policy, Tables.Rcu, Layout.Page, Pretouch.None), "boot");
  return new MemoryManager(core, module, memory, cpus, originMs);
}

/** This thread becomes the CPU of `seat`, until it calls leave(). */
export function joinCpu(seat: Seat, options: CpuOptions = {}): Cpu {
  const core = instantiateMemoryCore(seat.module, seat.memory, clockSince(seat.originMs));
  return new Cpu(core, seat.memory, seat.index, options);
}

function reserve(pages: number): WebAssembly.Memory {
  // The core counts bytes in 32 bits: 4 GiB less one page is the most.
  if (!(pages >= 1 && pages < 65536)) throw new MemoryError(Errno.ENOMEM, "createMemoryManager");
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch {
    throw new MemoryError(Errno.ENOMEM, "createMemoryManager");
  }
}

function bytesOf(size: number | string): number {
  if (typeof size === "number") return size;
  const [, digits, unit = ""] = /^(\d+)([KMG]?)$/i.exec(size) ?? [];
  return digits === undefined ? Number.NaN : Number(digits) * (UNITS[unit.toUpperCase()] as number);
}
