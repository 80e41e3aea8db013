/**
 * The hooked core under a simulator: every access announced, any call stopped at an announcement and carried on later.
 *
 *   lane 2i     CPU i's own program           lane 2i + 1   the interrupt that CPU i takes meanwhile
 *
 * Promise    what is announced has not happened yet; it happens when `reached` returns false, or when the stopped lane is
 *            carried on. Without a Seam (set-up) nothing is asked.
 * Beside it  `plain`, the shipping core over the same memory, for what costs no simulated time.
 * The checker has its own of these (check/hooked.ts), which also keeps track of what was written.
 */
import { Bug } from "../core/abi/bug.js";

/** The exports that a simulation calls. */
export interface CoreWords {
  boot(memoryBytes: number, cpus: number, policy: number, tables: number, layout: number, pretouch: number): number;
  cpuArea(index: number): number;
  cpuOnline(cpu: number): void;
  cpuOffline(cpu: number): void;
  cpuWord(index: number, word: number): number;
  takeInterrupt(cpu: number, quiescent: boolean): void;
  kernelExit(cpu: number): number;
  fill(cpu: number, va: bigint, access: number): number;
  bounce(cpu: number): number;
  sysMmap(cpu: number, at: bigint, bytes: bigint, prot: number, flags: number, object: number, offset: bigint): bigint;
  /** Makes or finds the object of a file: its id, its size, from where on it has holes only. */
  hostOpen(cpu: number, object: number, size: bigint, dataEnd: bigint): number;
  sysMunmap(cpu: number, at: bigint, bytes: bigint): bigint;
  sysMprotect(cpu: number, at: bigint, bytes: bigint, prot: number): bigint;
  sysMremap(cpu: number, at: bigint, bytes: bigint, newBytes: bigint, flags: number, to: bigint): bigint;
  sysMlock(cpu: number, at: bigint, bytes: bigint, flags: number): bigint;
  populateRange(cpu: number, start: bigint, end: bigint, how: number): bigint;
  sysMunlock(cpu: number, at: bigint, bytes: bigint): bigint;
  sysBrk(cpu: number, end: bigint): bigint;
  setLimit(cpu: number, limit: number, value: bigint): void;
  sysMadvise(cpu: number, at: bigint, bytes: bigint, advice: number): bigint;
  /** The address space that the CPU acts on. */
  spaceOf(cpu: number): number;
  remoteRead(cpu: number, space: number, to: number, from: bigint, bytes: number): bigint;
  joinSpace(cpu: number): void;
  leaveSpace(cpu: number): void;
  counter(cpu: number, index: number): bigint;
  /** Where something of abi/watch.ts is; of the hooked core only. */
  watched(what: number, index: number): number;
}

interface Asyncify {
  asyncify_start_unwind(stack: number): void;
  asyncify_stop_unwind(): void;
  asyncify_start_rewind(stack: number): void;
  asyncify_stop_rewind(): void;
}

export enum Mark {
  RcuEnter = 0,
  RcuExit = 1,
  IrqOff = 2,
  IrqOn = 3,
}

/** Who charges for what the core does. An answer of true stops the lane there. */
export interface Seam {
  reached(kind: number, address: number, width: number, site: number): boolean;
  marked(mark: Mark): void;
  paused(address: number, seen: number, round: number): boolean;
  /** The word is as expected: the lane sleeps. */
  waiting(address: number, timeoutNs: number): void;
  /** A lane that slept carries on: what the wait answers. */
  woken(): number;
  now(): number;
}

/** Where in the core an announced access is: an entry of build/sites.json. */
export interface Site {
  function: string;
  file?: string;
}

export interface CoreBuild {
  hooked: WebAssembly.Module;
  core: WebAssembly.Module;
  sites: readonly Site[];
  /** build/layout.json: file of the core → constant → value. */
  layout: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const STACK_BYTES = 16384;
const NOT_EQUAL = 1;

export class HookedCore {
  readonly memory: WebAssembly.Memory;
  readonly words: Uint32Array;
  readonly core: CoreWords;
  readonly plain: CoreWords;
  seam: Seam | undefined;
  readonly #asyncify: Asyncify;
  readonly #stacks: number;
  #rewinding = false;
  #unwinding = false;

  constructor(build: CoreBuild, ownedBytes: number, lanes: number) {
    const pages = (ownedBytes + lanes * STACK_BYTES + 65535) >>> 16;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.words = new Uint32Array(this.memory.buffer);
    this.#stacks = ownedBytes;
    const hooked = new WebAssembly.Instance(build.hooked, { env: this.#hookedWords() }).exports;
    this.core = hooked as unknown as CoreWords;
    this.#asyncify = hooked as unknown as Asyncify;
    this.plain = new WebAssembly.Instance(build.core, { env: this.#plainWords() }).exports as unknown as CoreWords;
  }

  /** Begins a call of a lane, or, with `resume`, carries on the one that stopped. */
  call(lane: number, call: () => unknown, resume: boolean): unknown {
    const at = this.#stacks + lane * STACK_BYTES;
    if (resume) {
      this.#rewinding = true;
      this.#asyncify.asyncify_start_rewind(at);
    } else {
      this.words[at >>> 2] = at + 8;
      this.words[(at >>> 2) + 1] = at + STACK_BYTES;
    }
    return call();
  }

  /** Whether the last call did not end but stopped. */
  stopped(): boolean {
    if (!this.#unwinding) return false;
    this.#unwinding = false;
    this.#asyncify.asyncify_stop_unwind();
    return true;
  }

  /** The running lane unwinds once the announcement returns. */
  stop(lane: number): void {
    this.#unwinding = true;
    this.#asyncify.asyncify_start_unwind(this.#stacks + lane * STACK_BYTES);
  }

  /** True, once, when an import is reached again by a lane that is carried on. */
  #arrived(): boolean {
    if (!this.#rewinding) return false;
    this.#rewinding = false;
    this.#asyncify.asyncify_stop_rewind();
    return true;
  }

  /** The lane of the next stop; set before each call. */
  lane = 0;

  #hookedWords(): WebAssembly.ModuleImports {
    const mark = (kind: Mark) => () => {
      if (this.seam) this.seam.marked(kind);
    };
    return {
      memory: this.memory,
      step: (kind: number, address: number, width: number, site: number) => {
        if (this.#rewinding && this.#arrived()) return;
        if (this.seam?.reached(kind, address >>> 0, width, site)) this.stop(this.lane);
      },
      rcuEnter: mark(Mark.RcuEnter),
      rcuExit: mark(Mark.RcuExit),
      irqOff: mark(Mark.IrqOff),
      irqOn: mark(Mark.IrqOn),
      pause: (_cpu: number, address: number, seen: number, round: number) => {
        if (this.#rewinding && this.#arrived()) return;
        if (this.seam?.paused(address >>> 0, seen >>> 0, round)) this.stop(this.lane);
      },
      wait: (address: number, expected: bigint, timeoutNs: bigint) => {
        if (this.#rewinding && this.#arrived()) return this.seam!.woken();
        if (this.words[address >>> 2] !== Number(BigInt.asUintN(32, expected))) return NOT_EQUAL;
        if (!this.seam) throw new Error("a sleep outside the simulation");
        this.seam.waiting(address >>> 0, Number(timeoutNs));
        this.stop(this.lane);
        return 0;
      },
      now: () => this.seam?.now() ?? 0,
      bug: stopOnBug,
    };
  }

  #plainWords(): WebAssembly.ModuleImports {
    return {
      memory: this.memory,
      pause: () => {
        throw new Error("a wait outside the simulation: something is still held");
      },
      now: () => 0,
      bug: stopOnBug,
    };
  }
}

function stopOnBug(_cpu: number, code: number): never {
  throw new Error(`the core found a broken invariant: ${(Bug[code] ?? `bug ${code}`).replaceAll("_", " ")}`);
}
