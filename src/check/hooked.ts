/**
 * The hooked core as a machine that can be stopped before any access and carried on later.
 *
 *   one WebAssembly.Memory
 *   0 ┌───────────────────────────────┬──────────────────────────┐
 *     │ what the core owns: boot()ed  │ one stack a lane, 16 KiB │   past the bytes that boot() was given
 *     └───────────────────────────────┴──────────────────────────┘
 *   core    hooked.wasm: announces every access to the Listener, which says go on or stop here
 *   plain   core.wasm over the same memory: set-up, and questions that must not be scheduled
 *
 * Stopping   asyncify: the announcing import starts an unwind, every frame saves its locals to the lane's stack, the call
 *            returns. Carrying on: the same call again, which rewinds to the same import; there the event takes effect.
 * Promise    what is announced has not happened yet; once `reached` returns without a stop, or `resumed` returns, it
 *            happens before anything else does. Without a Listener nothing stops: writes are noted for the reset, a wait is a bug.
 */
import { Bug } from "../core/abi/bug.js";
import { Watch } from "../core/abi/watch.js";
import { Mark, mayWrite, type Site } from "./event.js";
import { Host } from "./host.js";
import { Snapshot } from "./reset.js";
import { Violation } from "./violation.js";

/** The exports of the core that the checker calls. */
export interface CoreWords {
  boot(memoryBytes: number, cpus: number, policy: number, tables: number, layout: number, pretouch: number): number;
  cpuArea(index: number): number;
  cpuId(cpu: number): number;
  cpuOnline(cpu: number): void;
  cpuOffline(cpu: number): void;
  cpuWord(index: number, word: number): number;
  pendingWord(index: number): number;
  idleWord(index: number): number;
  bounce(cpu: number): number;
  takeInterrupt(cpu: number, quiescent: boolean): void;
  interruptTouches(cpu: number, address: number): number;
  kernelExit(cpu: number): number;
  settle(cpu: number, rounds: number): number;
  sysMmap(cpu: number, at: bigint, bytes: bigint, prot: number, flags: number, object: number, offset: bigint): bigint;
  sysMunmap(cpu: number, at: bigint, bytes: bigint): bigint;
  sysMprotect(cpu: number, at: bigint, bytes: bigint, prot: number): bigint;
  sysMadvise(cpu: number, at: bigint, bytes: bigint, advice: number): bigint;
  sysMremap(cpu: number, at: bigint, from: bigint, to: bigint, flags: number, target: bigint): bigint;
  sysMlock(cpu: number, at: bigint, bytes: bigint, flags: number): bigint;
  setBrk(cpu: number, start: bigint): void;
  sysBrk(cpu: number, end: bigint): bigint;
  guestRead(cpu: number, to: number, from: bigint, bytes: number): bigint;
  guestWrite(cpu: number, to: bigint, from: number, bytes: number): bigint;
  remoteRead(cpu: number, space: number, to: number, from: bigint, bytes: number): bigint;
  remoteWrite(cpu: number, space: number, to: bigint, from: number, bytes: number): bigint;
  joinSpace(cpu: number): void;
  leaveSpace(cpu: number): void;
  sleep(cpu: number, timeoutNs: bigint): number;
  post(target: number, bits: number): void;
  quiesce(cpu: number): void;
  counter(cpu: number, index: number): bigint;
  stat(what: number): number;
  memoryBytes(): number;
  isFreeFrame(phys: number): number;
  verifySpace(cpu: number): number;
  firstSpace(): number;
  newSpace(cpu: number): number;
  forkSpace(cpu: number): bigint;
  tryHoldSpace(space: number): number;
  putSpace(cpu: number, space: number): void;
  assignSpace(cpu: number, space: number): void;
  switchSpace(cpu: number, space: number): void;
  spaceOf(cpu: number): number;
  hostOpen(cpu: number, object: number, size: bigint, dataEnd: bigint): number;
  hostRead(cpu: number, object: number, offset: bigint, target: number, bytes: number): void;
  hostWrite(cpu: number, object: number, offset: bigint, source: number, bytes: number): void;
  hostResize(cpu: number, object: number, size: bigint): void;
  hostPunch(cpu: number, object: number, from: bigint, end: bigint): void;
  punchObject(cpu: number, object: number, from: bigint, end: bigint): void;
  trimObjects(cpu: number): void;
  trimsPending(): number;
  closeObject(cpu: number, object: number): void;
  forgetObject(cpu: number, object: number, lost: number): number;
  takeReleasedObject(cpu: number): number;
  ioObject(cpu: number): number;
  ioOffset(cpu: number): bigint;
  pageInBegin(cpu: number, list: number, most: number): number;
  pageInEnd(cpu: number, list: number, count: number, valid: number): void;
  writebackBegin(cpu: number, object: number, from: bigint, end: bigint, list: number): number;
  writebackEnd(cpu: number, list: number, count: number, written: number): void;
  /** Of the hooked core only: the host's own steps (host.ts), and where something of abi/watch.ts is. */
  hostLock(cpu: number, word: number): void;
  hostUnlock(word: number): void;
  hostCopy(target: number, source: number, bytes: number): void;
  watched(what: number, index: number): number;
}

interface Asyncify {
  asyncify_start_unwind(stack: number): void;
  asyncify_stop_unwind(): void;
  asyncify_start_rewind(stack: number): void;
  asyncify_stop_rewind(): void;
}

/** Who decides. To stop the lane at what it announced, call stopAt(); to let it go on, return. */
export interface Listener {
  reached(kind: number, address: number, width: number, site: number): void;
  paused(address: number, seen: number, round: number): void;
  /** The word was as expected: the lane sleeps until notified, or for timeoutNs if that is not negative. */
  waiting(address: number, timeoutNs: bigint): void;
  /** The stopped lane carries on: its event takes effect now. For a wait, returns what the wait answers. */
  resumed(): number;
  now(): number;
}

/** The pair of modules of one build, and what its announced sites are. */
export interface CoreBuild {
  hooked: WebAssembly.Module;
  core: WebAssembly.Module;
  sites: readonly Site[];
  /** What else the core imports: which mutant of several it is. */
  constants?: Record<string, number>;
}

const STACK_BYTES = 16384;
const NOT_EQUAL = 1;

export class Machine {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly core: CoreWords;
  readonly plain: CoreWords;
  readonly snapshot: Snapshot;
  readonly sites: readonly Site[];
  readonly host = new Host();
  listener: Listener | undefined;
  /** The told core only: by lane, the numbers of the calls it is in, outermost first. */
  readonly callers: number[][] = [];
  #calls: number[] = [];
  /** First byte that is a frame, once booted. */
  firstFrame = 0xffff_ffff;
  /** The words of the descriptors of frames: the first, and the first after them. */
  descriptors: readonly [number, number] = [0, 0];
  readonly #asyncify: Asyncify;
  readonly #stacks: number;
  #rewinding = false;
  #unwinding = false;

  constructor(build: CoreBuild, ownedBytes: number, lanes: number) {
    const pages = (ownedBytes + lanes * STACK_BYTES + 65535) >>> 16;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.bytes = new Uint8Array(this.memory.buffer);
    this.words = new Uint32Array(this.memory.buffer);
    this.snapshot = new Snapshot(this.memory, ownedBytes);
    this.sites = build.sites;
    this.#stacks = ownedBytes;
    const hooked = new WebAssembly.Instance(build.hooked, { env: { ...this.#hookedWords(), ...build.constants } })
      .exports;
    this.core = hooked as unknown as CoreWords;
    this.#asyncify = hooked as unknown as Asyncify;
    this.plain = new WebAssembly.Instance(build.core, { env: { ...this.#plainWords(), ...build.constants } })
      .exports as unknown as CoreWords;
  }

  /** Lays the core out; from here on accesses to frames are recognised. */
  boot(ownedBytes: number, cpus: number, policy: number, tables: number, layout: number, pretouch: number): void {
    const frames = this.plain.boot(ownedBytes, cpus, policy, tables, layout, pretouch);
    if (frames < 0) throw new Error(`boot: ${frames}`);
    this.firstFrame = ownedBytes - frames * 4096;
    const descriptor = (frame: number) => this.core.watched(Watch.FrameType, frame) >>> 2;
    this.descriptors = [descriptor(this.firstFrame), descriptor(ownedBytes)];
  }

  /** Runs a call of a lane, from the start or, when `resume`, from where it stopped. */
  call(lane: number, call: () => unknown, resume: boolean): unknown {
    if (!resume) this.callers[lane] = [];
    this.#calls = this.callers[lane];
    if (resume) {
      this.#rewinding = true;
      this.#asyncify.asyncify_start_rewind(this.#stackOf(lane));
    }
    return call();
  }

  /** True when the last call did not end but stopped at an event. */
  stopped(): boolean {
    if (!this.#unwinding) return false;
    this.#unwinding = false;
    this.#asyncify.asyncify_stop_unwind();
    return true;
  }

  /** Empties a lane's stack: its first two words are asyncify's, where it is and where it ends. */
  clearStack(lane: number): void {
    const at = this.#stackOf(lane);
    this.words[at >>> 2] = at + 8;
    this.words[(at >>> 2) + 1] = at + STACK_BYTES;
  }

  /** A write by the checker itself. */
  setByte(address: number, value: number): void {
    this.bytes[address] = value;
    this.snapshot.wrote(address, 1);
  }

  #stackOf(lane: number): number {
    return this.#stacks + lane * STACK_BYTES;
  }

  /** The lane that runs now unwinds into its stack; the listener knows which. */
  stopAt(lane: number): void {
    this.#unwinding = true;
    this.#asyncify.asyncify_start_unwind(this.#stackOf(lane));
  }

  /** True, once, when the import was reached by rewinding rather than anew. */
  #arrived(): boolean {
    if (!this.#rewinding) return false;
    this.#rewinding = false;
    this.#asyncify.asyncify_stop_rewind();
    return true;
  }

  #hookedWords(): WebAssembly.ModuleImports {
    const event = (kind: number, address: number, width: number, site: number) => {
      if (this.#rewinding && this.#arrived()) this.listener?.resumed();
      else if (this.listener) this.listener.reached(kind, address >>> 0, width, site);
      else if (mayWrite(kind)) this.snapshot.wrote(address >>> 0, width);
    };
    const mark = (kind: Mark) => (cpu: number) => event(kind, cpu, 0, 0);
    return {
      memory: this.memory,
      step: event,
      enter: (call: number) => this.#calls.push(call),
      leave: () => this.#calls.pop(),
      rcuEnter: mark(Mark.RcuEnter),
      rcuExit: mark(Mark.RcuExit),
      irqOff: mark(Mark.IrqOff),
      irqOn: mark(Mark.IrqOn),
      pause: (_cpu: number, address: number, seen: number, round: number) => {
        if (this.#rewinding && this.#arrived()) this.listener?.resumed();
        else if (this.listener) this.listener.paused(address >>> 0, seen >>> 0, round);
        else throw new Violation("lock", "a wait outside every operation: something is still held");
      },
      wait: (address: number, expected: bigint, timeoutNs: bigint, width: number) => {
        if (this.#rewinding && this.#arrived()) return this.listener?.resumed();
        if (width !== 4) throw new Error("the checker knows waits on words of 4 bytes only");
        if (this.words[address >>> 2] !== Number(BigInt.asUintN(32, expected))) return NOT_EQUAL;
        if (!this.listener) throw new Violation("lock", "a sleep outside every operation: something is still held");
        this.listener.waiting(address >>> 0, timeoutNs);
        return 0;
      },
      now: () => this.listener?.now() ?? 0,
      bug: stopOnBug,
    };
  }

  #plainWords(): WebAssembly.ModuleImports {
    return {
      memory: this.memory,
      pause: () => {
        throw new Violation("lock", "a wait outside every operation: something is still held");
      },
      now: () => 0,
      bug: stopOnBug,
    };
  }
}

export function bugText(code: number): string {
  return (Bug[code] ?? `bug ${code}`).replace("_", ": ").replaceAll("_", " ");
}

function stopOnBug(_cpu: number, code: number): never {
  throw new Violation("bug", bugText(code));
}
