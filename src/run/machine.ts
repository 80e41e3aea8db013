/**
 * run/machine.ts: the machine, seen from the main thread: memory, workers, file service, the end.
 *
 *   main thread                              workers, one CPU each
 *   ───────────                              ─────────────────────
 *   boots the core in a new memory
 *   starts worker 0 with the program   ───►  runs the first thread
 *   starts spare workers, in the background  wait in the core for a clone
 *   serves file requests               ◄───  asks, sleeps until the answer is posted
 *   tells the guest of host signals,   ───►  pending bits
 *   and when a timer is due
 *   ends everything                    ◄───  exit status
 *
 * Never blocks: every wait here is the event loop's, so a host signal always gets through.
 * Warm pool  SPARE workers are kept idle ahead of demand. Starting one costs tens of milliseconds; a clone wakes one that
 *            waits in the core. Workers of ended threads go back into the pool. Started a few at a time: a storm of
 *            clones must not make hundreds of cold starts compete.
 */
import { Errno } from "../core/abi/errno.js";
import { type Layout, type Policy, Pretouch, type Tables } from "../core/abi/mman.js";
import { Pending } from "../core/abi/pending.js";
import { type Core, CoreBug, instantiateCore } from "./core.js";
import { dumpState } from "./dump.js";
import { ELF_HEAD_BYTES, ElfError, parseElf } from "./elf.js";
import {
  BOUNCE_BYTES,
  FIRST_PID,
  type FileRequest,
  type FileService,
  HostCall,
  type Program,
  ProgramError,
} from "./files/service.js";
import { leftovers } from "./leftovers.js";
import { type ExecPlan, type MachineInfo, UNKNOWN_SLOTS, type WorkerInit, type WorkerMessage } from "./messages.js";
import { pageCache } from "./pageCache.js";
import type { Platform, WorkerHandle } from "./platform.js";
import { processFacts } from "./processFacts.js";
import { Signal } from "./signals.js";
import { collectStats, type MachineStats } from "./stats.js";
import { type CpuTrace, readTrace, startTrace, traceBytes } from "./trace.js";

/** Faultline's own failure: `message` is the rest of the line after "faultline: ". */
export class MachineError extends Error {
  /** `state`: what the machine was doing, a line for each CPU, when the failure is its own. */
  constructor(
    message: string,
    readonly state: readonly string[] = [],
  ) {
    super(message);
  }
}

export interface MachineOptions {
  readonly policy: Policy;
  readonly tables: Tables;
  readonly layout: Layout;
  readonly memoryBytes: number;
  /** CPUs the guest is told of. */
  readonly cpus: number;
  readonly uid: number;
  readonly gid: number;
  /** Record what each CPU does. */
  readonly trace?: boolean;
  /** Most guest threads alive at once. */
  readonly maxThreads?: number;
  /** Look for leaks once every process has ended, and say what is left. */
  readonly verify?: boolean;
  /** Told of what happened to a process while others go on: the rest of a line after "faultline: ". */
  readonly say?: (line: string) => void;
}

export interface Outcome {
  readonly status: number;
  /** What is to be said on stderr. */
  readonly line?: string;
  readonly stats: MachineStats;
  /** With the option `trace`. */
  readonly trace?: readonly CpuTrace[];
}

export const MAX_THREADS = 256;
const PAGE = 4096;
const WASM_PAGE = 65536;
/** The core counts bytes in 32 bits: of 4 GiB the last page is not used. */
const WASM_PAGES_MAX = 65535;
/** Idle workers kept ahead of demand, and how many are in the making at once. */
const SPARE_MIN = 4;
const STARTING_MAX = 2;
/** The longest that setTimeout waits. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const DOUBLE_INTERRUPT_NS = 1e9;

interface Slot {
  readonly handle: WorkerHandle;
  readonly reply: Float64Array;
  readonly bounce: Uint8Array;
  ready: boolean;
}

export class Machine {
  private readonly memory: WebAssembly.Memory;
  private readonly core: Core;
  private readonly slots: Slot[] = [];
  private readonly unknown = new SharedArrayBuffer(UNKNOWN_SLOTS * 4);
  private readonly originNs: number;
  private readonly maxThreads: number;
  /** The CPU area that the main thread itself uses. */
  private readonly service: number;
  private readonly info: MachineInfo;
  /** Why the first process was killed: said last. */
  private line: string | undefined;
  private program: Program | undefined;
  private end: ((status: number | Error) => void) | undefined;
  private lastInterruptNs = Number.NEGATIVE_INFINITY;
  private alarm: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly platform: Platform,
    private readonly files: FileService,
    private readonly options: MachineOptions,
  ) {
    this.maxThreads = Math.min(options.maxThreads ?? MAX_THREADS, MAX_THREADS);
    const rings = options.trace ? Math.ceil(traceBytes(this.maxThreads) / WASM_PAGE) : 0;
    const pages = Math.min(Math.floor(options.memoryBytes / WASM_PAGE), WASM_PAGES_MAX - rings);
    this.originNs = platform.clockNs();
    this.info = {
      firstPid: FIRST_PID,
      uid: options.uid,
      gid: options.gid,
      cpus: options.cpus,
      memoryBytes: pages * WASM_PAGE,
      originNs: this.originNs,
      epochNs: platform.epochNs(),
      traced: options.trace === true,
    };
    try {
      this.memory = new WebAssembly.Memory({ initial: pages + rings, maximum: pages + rings, shared: true });
    } catch {
      throw new MachineError(`cannot reserve ${options.memoryBytes} bytes of memory`);
    }
    this.core = instantiateCore(platform.core, this.memory, () => platform.clockNs() - this.originNs);
    const { policy, tables, layout } = options;
    const frames = this.core.boot(pages * WASM_PAGE, this.maxThreads + 1, policy, tables, layout, Pretouch.None);
    if (frames === -Errno.ENOMEM) throw new MachineError("--memory is too small for the machine itself");
    if (frames < 0) throw new MachineError(`the core refuses these settings (errno ${-frames})`);
    if (options.trace) startTrace(this.core, this.maxThreads, this.info.memoryBytes);
    this.core.taskInit(FIRST_PID, this.maxThreads);
    this.service = this.core.cpuArea(this.maxThreads);
    files.connect({
      cache: pageCache(this.core, this.service, this.memory),
      facts: processFacts(this.core, this.service, this.memory),
    });
  }

  /** Runs PROGRAM to its end. Throws MachineError, ProgramError or ElfError when it can not be run. */
  async run(name: string, args: readonly string[], env: readonly string[]): Promise<Outcome> {
    const encoder = new TextEncoder();
    const program = await this.files.openProgram(name);
    this.program = program;
    const head = await program.readHead(ELF_HEAD_BYTES);
    const plan: ExecPlan = {
      image: parseFor(name, head, program.size),
      object: program.object,
      argv: [name, ...args].map((text) => encoder.encode(text)),
      env: env.map((text) => encoder.encode(text)),
      path: encoder.encode(program.path),
      name: program.path.split("/").at(-1) ?? "",
    };
    const ended = new Promise<number | Error>((resolve) => {
      this.end = resolve;
    });
    this.start(plan);
    this.keepSpares();
    const end = await ended;
    const left =
      this.options.verify && !(end instanceof Error)
        ? await leftovers(this.core, this.service, () => this.slots.length)
        : undefined;
    if (left) this.options.say?.(`left at the end: ${left}`);
    this.end = undefined;
    clearTimeout(this.alarm);
    await this.files.close();
    const wallNs = this.platform.clockNs() - this.originNs;
    for (const slot of this.slots) slot.handle.terminate();
    if (end instanceof Error) throw end;
    const stats = collectStats(this.core, this.slots.length, new Uint32Array(this.unknown), wallNs);
    const trace = this.options.trace ? this.readTrace() : undefined;
    return { status: end, stats, ...(trace && { trace }), ...(this.line === undefined ? {} : { line: this.line }) };
  }

  private readTrace(): CpuTrace[] {
    return readTrace(this.core, this.slots.length, this.info.memoryBytes, this.memory);
  }

  /** A host SIGINT goes to the guest; true when it is the second within a second: the caller ends Faultline. */
  interrupt(): boolean {
    const now = this.platform.clockNs();
    const again = now - this.lastInterruptNs < DOUBLE_INTERRUPT_NS;
    this.lastInterruptNs = now;
    if (!again) this.core.signalFromHost(Signal.INT);
    return again;
  }

  /** The state of every CPU, a line each. */
  dump(): string[] {
    return dumpState(this.core, this.slots.length);
  }

  /** Another signal of the host's (the window changed, the terminal went). */
  signal(signal: number): void {
    this.core.signalFromHost(signal);
  }

  private start(exec?: ExecPlan): void {
    const index = this.slots.length;
    const reply = new SharedArrayBuffer(8);
    const init: WorkerInit = {
      module: this.platform.core,
      memory: this.memory,
      index,
      info: this.info,
      reply,
      unknown: this.unknown,
      ...(exec ? { exec } : {}),
    };
    const handle = this.platform.startWorker(
      init,
      (message) => this.hear(index, message),
      (reason) => this.end?.(new MachineError(`worker ${index}: ${reason}`, this.dump())),
    );
    const bounce = new Uint8Array(this.memory.buffer, this.core.bounce(this.core.cpuArea(index)), BOUNCE_BYTES);
    this.slots.push({ handle, reply: new Float64Array(reply), bounce, ready: exec !== undefined });
  }

  private hear(index: number, message: WorkerMessage): void {
    const slot = this.slots[index];
    if (!this.end || !slot) return;
    switch (message.kind) {
      case "call":
        this.serve(index, slot, message);
        break;
      case "cancel":
        this.files.cancel(index);
        break;
      case "release":
        this.release(index, slot, message.object);
        break;
      case "timer":
        this.watchTimers();
        break;
      case "reaped":
        this.files.threadEnded();
        break;
      case "idle":
        slot.ready = true;
        this.files.threadEnded();
        this.keepSpares();
        break;
      case "spare":
        this.keepSpares();
        break;
      case "exit":
        this.end(message.status);
        break;
      case "killed":
        if (message.pid === FIRST_PID) this.line = message.line;
        else this.options.say?.(message.line);
        break;
      case "refused":
        this.end(new MachineError(message.reason));
        break;
      case "failed":
        this.end(new MachineError(message.reason, this.dump()));
        break;
    }
  }

  /** Wakes the guest when its next timer is due. Never early: setTimeout may be, and then there is a rest to wait. */
  private watchTimers(): void {
    clearTimeout(this.alarm);
    this.alarm = undefined;
    const next = this.core.nextTimer();
    if (next < 0 || !this.end) return;
    const left = (next - (this.platform.clockNs() - this.originNs)) / 1e6;
    this.alarm = setTimeout(
      () => {
        const due = next <= this.platform.clockNs() - this.originNs;
        if (due) this.core.timersDue();
        this.watchTimers();
      },
      Math.min(Math.max(0, left), MAX_TIMEOUT_MS),
    );
  }

  /** Starts workers until enough are idle or in the making. The first is running when this is first asked. */
  private keepSpares(): void {
    let starting = this.slots.filter((slot) => !slot.ready).length;
    let idle = this.core.idleWorkersRacy();
    while (idle + starting < Math.max(SPARE_MIN, this.options.cpus + 2) && starting < STARTING_MAX) {
      if (this.slots.length >= this.maxThreads) return;
      this.start();
      starting++;
      idle = this.core.idleWorkersRacy();
    }
  }

  private serve(cpu: number, slot: Slot, message: Extract<WorkerMessage, { kind: "call" }>): void {
    const { pid, tid, nr, args, flags } = message;
    const request = { cpu, pid, tid, nr, args, flags, bounce: slot.bounce };
    const moves = nr === HostCall.ReadPages || nr === HostCall.WritePages;
    this.answer(slot, cpu, moves ? { ...request, pages: this.pagesOf(slot, args) } : request);
  }

  /** The frames whose addresses the worker left in its bounce buffer: (…, …, how many, where). */
  private pagesOf(slot: Slot, args: readonly bigint[]): Uint8Array[] {
    const { buffer, byteOffset } = slot.bounce;
    const list = new Uint32Array(buffer, byteOffset + Number(args[3]), Number(args[2]));
    return Array.from(list, (frame) => new Uint8Array(buffer, frame, PAGE));
  }

  private answer(slot: Slot, cpu: number, request: FileRequest): void {
    const reply = (result: number): void => {
      slot.reply[0] = result;
      this.core.post(this.core.cpuArea(cpu), Pending.Reply);
    };
    try {
      const result = this.files.handle(request);
      if (typeof result === "number") reply(result);
      else result.then(reply, (error: unknown) => this.broke(error));
    } catch (error) {
      this.broke(error);
    }
  }

  /** The program's own object stays: several segments map it, and the guest may ask for /proc/self/exe. */
  private release(cpu: number, slot: Slot, object: number): void {
    if (object === this.program?.object) return;
    const args = [BigInt(object), 0n, 0n, 0n, 0n, 0n];
    const result = this.files.handle({ cpu, tid: 0, nr: HostCall.ReleaseObject, args, flags: 0, bounce: slot.bounce });
    if (typeof result !== "number") result.catch((error: unknown) => this.broke(error));
  }

  private broke(error: unknown): void {
    this.end?.(new MachineError(`files: ${error instanceof Error ? error.message : String(error)}`));
  }
}

function parseFor(name: string, head: Uint8Array, size: number): ReturnType<typeof parseElf> {
  try {
    return parseElf(head, size);
  } catch (error) {
    if (error instanceof ElfError) throw new MachineError(`${name}: ${error.message}`);
    throw error;
  }
}

export { CoreBug, ProgramError };
