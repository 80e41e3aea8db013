/**
 * run/thread.ts: one guest thread on one worker: runs the hart, serves what it stops for, returns to guest code.
 *
 *   hartRun ─┬ Ecall ─► call ────────────┐
 *            ├ Trap  ─► signal to itself ┤
 *            ├ Io    ─► read a file page ┼─► deliver signals ─► hartRun
 *            ├ Oom   ─► process dies     │
 *            └ Kick  ─► (signals, stop) ─┘
 *
 * Private to the worker: all fields here. What other threads may see, and what a fork's child must find, lives in the
 * core's records.
 * Ends by    ThreadExit (exit), or ThreadStopped (the process ends, or another thread executes a program): end.ts.
 */
import { Errno } from "../core/abi/errno.js";
import { Cause, Exit } from "../core/abi/exit.js";
import { MapFlag } from "../core/abi/mman.js";
import { Pending } from "../core/abi/pending.js";
import { ThreadLong } from "../core/abi/word.js";
import { CALLS } from "./calls/table.js";
import { type Claim, readClaim, SigInfo } from "./claim.js";
import type { Core } from "./core.js";
import { deliver, deliverTrap } from "./deliver.js";
import { restarts } from "./files/calls.js";
import { fileCall } from "./files/marshal.js";
import { Guest, PageIn } from "./guest.js";
import { type HostPort, ThreadStopped } from "./hostport.js";
import type { MachineInfo, ProcessInfo, WorkerHost } from "./messages.js";
import { Signal } from "./signals.js";
import { threadName } from "./threadRecords.js";

/** A call that a handled signal interrupts: started again under SA_RESTART, else EINTR. Linux: ERESTARTSYS. */
export const RESTART = -512;

/** Unwinds a thread that called exit(2). */
export class ThreadExit extends Error {
  constructor(readonly code: number) {
    super();
  }
}

const MMAP = 222;
/** mm/inspect.ts: where nextVma() puts a VMA's object. */
const VMA_OBJECT = 28;
/** What a trace has of memory calls: brk, munmap, mremap, mmap, mprotect, msync, mlock …, madvise; and clone, clone3, which start threads. */
const MEMORY_CALLS = new Set([214, 215, 216, 220, 222, 226, 227, 228, 229, 230, 231, 232, 233, 284, 435]);

/** Instructions between two returns to TypeScript when nothing else happens. */
const FUEL = 1 << 30;

export interface AltStack {
  sp: bigint;
  size: bigint;
  /** SS_DISABLE 2, SS_AUTODISARM 1 << 31. */
  flags: number;
}

export class Thread {
  readonly guest: Guest;
  readonly process: ProcessInfo;
  /** The mask to go back to after a call that changed it for its own duration. */
  savedMask: bigint | undefined;
  /** Where sigreturn frames return through. */
  static readonly trampoline = (1n << 38n) - 4096n;
  private readonly startNs: number;
  private sleptNs = 0;
  private claimed: Claim | undefined;

  constructor(
    readonly core: Core,
    readonly cpu: number,
    memory: WebAssembly.Memory,
    readonly port: HostPort,
    readonly host: WorkerHost,
    info: MachineInfo,
    public tid: number,
    private readonly unknown: Uint32Array,
  ) {
    this.guest = new Guest(core, cpu, memory, port);
    this.process = { ...info, pid: core.ownPid(cpu) };
    port.tid = tid;
    port.pid = this.process.pid;
    this.startNs = this.now();
  }

  private own(which: ThreadLong): bigint {
    return BigInt.asUintN(64, this.core.ownLong(this.cpu, which));
  }

  private setOwn(which: ThreadLong, value: bigint): void {
    this.core.setOwnLong(this.cpu, which, value);
  }

  get altStack(): AltStack {
    const flags = Number(this.own(ThreadLong.AltFlags)) | 0;
    return { sp: this.own(ThreadLong.AltSp), size: this.own(ThreadLong.AltSize), flags };
  }

  set altStack({ sp, size, flags }: AltStack) {
    this.setOwn(ThreadLong.AltSp, sp);
    this.setOwn(ThreadLong.AltSize, size);
    this.setOwn(ThreadLong.AltFlags, BigInt(flags >>> 0));
  }

  get robustList(): bigint {
    return this.own(ThreadLong.Robust);
  }

  set robustList(head: bigint) {
    this.setOwn(ThreadLong.Robust, head);
  }

  get clearTid(): bigint {
    return this.own(ThreadLong.ClearTid);
  }

  set clearTid(address: bigint) {
    this.setOwn(ThreadLong.ClearTid, address);
  }

  /** PR_GET_NAME: at most 15 characters, a byte each. */
  get name(): string {
    return threadName(this.core, this.cpu);
  }

  set name(name: string) {
    const view = new DataView(new ArrayBuffer(16));
    for (let i = 0; i < Math.min(name.length, NAME_LENGTH); i++) view.setUint8(i, name.charCodeAt(i));
    this.setOwn(ThreadLong.NameLow, view.getBigUint64(0, true));
    this.setOwn(ThreadLong.NameHigh, view.getBigUint64(8, true));
  }

  /** Nanoseconds since the machine started; the core's clock too. */
  now(): number {
    return this.host.clockNs() - this.process.originNs;
  }

  /** Time this thread was not asleep: the nearest there is to its CPU time. */
  busyNs(): number {
    return this.now() - this.startNs - this.sleptNs;
  }

  /** Fresh registers; the instructions so far count. */
  resetHart(): void {
    this.core.addRetired(this.cpu, this.core.instructions(this.cpu));
    this.core.resetHart(this.cpu);
  }

  /** For a trace: whose events follow. `loaded`: a program has just been put into an empty space. */
  traceThread(loaded: boolean): void {
    this.core.traceThread(this.cpu, this.process.pid, this.tid, loaded ? 1 : 0);
  }

  /** What a clone left for the child to do first. */
  begin(): void {
    this.traceThread(false);
    const word = this.own(ThreadLong.SetTid);
    if (word !== 0n) this.guest.writeU32(word, this.tid);
  }

  run(): never {
    const { core, cpu } = this;
    for (;;) {
      const exit = core.hartRun(cpu, FUEL);
      let restart = false;
      if (exit === Exit.Ecall) restart = this.call();
      else if (exit === Exit.Trap) this.trap();
      else if (exit === Exit.Io) this.pageIn();
      else if (exit === Exit.Oom) this.outOfFrames(core.getPc(cpu));
      if (core.takePending(cpu, Pending.Stop | Pending.Kick | Pending.Wake) & Pending.Stop) throw new ThreadStopped();
      if (restart || this.claimed || this.savedMask !== undefined || core.signalWaits(cpu) !== 0) {
        deliver(this, restart);
      }
    }
  }

  /** One system call; true when it must start again unless a handler without SA_RESTART runs first. */
  private call(): boolean {
    const { core, cpu } = this;
    const nr = Number(BigInt.asUintN(32, core.getX(cpu, 17)));
    const args = [10, 11, 12, 13, 14, 15].map((register) => core.getX(cpu, register));
    const handler = CALLS[nr];
    const traced = this.process.traced && MEMORY_CALLS.has(nr);
    const began = traced ? core.traceNow(cpu) : 0;
    let result = handler ? handler(this, args) : fileCall(this.guest, nr, args);
    if (traced) this.traceCall(nr, began, args, result);
    if (result === undefined) {
      this.countUnknown(nr);
      result = -Errno.ENOSYS;
    }
    if (result === RESTART || (!handler && result === -Errno.EINTR && restarts(nr))) return true;
    if (!handler && result === -Errno.EPIPE) this.brokenPipe(nr);
    if (result !== NO_RESULT) core.setX(cpu, 10, BigInt(result));
    return false;
  }

  private traceCall(nr: number, began: number, args: readonly bigint[], result: unknown): void {
    const value = typeof result === "bigint" || typeof result === "number" ? BigInt(result) : 0n;
    const [address, length, more, flags, fifth, offset] = args as [bigint, bigint, bigint, bigint, bigint, bigint];
    const kinds = Number(flags & 0xffff_ffffn);
    const ofFile = nr === MMAP && value > 0n && (kinds & MapFlag.Anonymous) === 0;
    const object = ofFile ? this.objectAt(value) : 0;
    const last = nr === MMAP ? offset : fifth;
    this.core.traceCall(this.cpu, began, nr, address, length, more, kinds, object, last, value);
  }

  /** The object mapped at an address: files have no other name that a trace could tell them by. */
  private objectAt(address: bigint): number {
    const { core, cpu, guest } = this;
    const found = core.nextVma(cpu, core.spaceOf(cpu), address, guest.out) !== 0;
    return found ? guest.view.getUint32(VMA_OBJECT, true) : 0;
  }

  countUnknown(nr: number): void {
    Atomics.add(this.unknown, Math.min(nr, this.unknown.length - 1), 1);
  }

  /** A write to a pipe or stream nobody reads: the writing thread gets SIGPIPE (pipe(7)). */
  private brokenPipe(nr: number): void {
    if (!WRITES.has(nr)) return;
    const { pid, uid } = this.process;
    this.core.signalThread(this.cpu, pid, this.tid, Signal.PIPE, SigInfo.User, pid, uid, 0n);
  }

  private trap(): void {
    const { core, cpu } = this;
    const cause = core.trapCause(cpu);
    const pc = core.getPc(cpu);
    const value = core.trapValue(cpu);
    if (cause === Cause.Illegal) deliverTrap(this, Signal.ILL, core.trapCode(cpu), pc);
    else if (cause === Cause.Breakpoint) deliverTrap(this, Signal.TRAP, core.trapCode(cpu), pc);
    else if (cause === Cause.LoadMisaligned || cause === Cause.StoreMisaligned) {
      deliverTrap(this, Signal.BUS, BUS_ADRALN, value);
    } else if (cause === Cause.FetchPage || cause === Cause.LoadPage || cause === Cause.StorePage) {
      deliverTrap(this, Signal.SEGV, core.trapCode(cpu), value);
    } else deliverTrap(this, Signal.BUS, BUS_ADRERR, value);
  }

  private pageIn(): void {
    const address = this.core.ioAddress(this.cpu);
    const paged = this.guest.pageIn();
    if (paged === PageIn.Bus) deliverTrap(this, Signal.BUS, BUS_ADRERR, address);
    if (paged === PageIn.NoFrame) this.outOfFrames(this.core.getPc(this.cpu));
  }

  private outOfFrames(pc: bigint): never {
    const at = BigInt.asUintN(64, pc).toString(16);
    this.die(
      Signal.KILL,
      `out of memory: no frame for a fault of thread ${this.tid} at pc 0x${at}; killed (a larger --memory may help)`,
    );
  }

  /** Ends the process for every thread, with an exit code. */
  exitGroup(code: number): never {
    this.core.beginExit(this.cpu, (code & 0xff) << 8);
    throw new ThreadStopped();
  }

  /** The same by a fatal signal; `line` says on stderr why. */
  die(signal: number, line?: string): never {
    const first = this.core.beginExit(this.cpu, signal) !== 0;
    if (first && line !== undefined) this.host.post({ kind: "killed", pid: this.process.pid, line });
    throw new ThreadStopped();
  }

  /** In a blocking call: true when a signal is to be delivered now, so the call must end. Takes the kick. */
  interrupted(): boolean {
    this.clearWakeups();
    return this.signalled();
  }

  /** The same for a caller that took the kick before it last looked at what it waits for. */
  signalled(): boolean {
    if (!this.claimed && this.core.signalWaits(this.cpu) !== 0) this.claimed = this.claim();
    return this.claimed !== undefined;
  }

  /** The next signal to deliver. */
  takeClaim(): Claim | undefined {
    const claim = this.claimed ?? this.claim();
    this.claimed = undefined;
    return claim;
  }

  private claim(): Claim | undefined {
    const { core, cpu, guest } = this;
    const signal = core.claimSignal(cpu, ~core.getMask(cpu), guest.out, 0);
    return signal === 0 ? undefined : readClaim(signal, guest.view);
  }

  /** Sleeps until `deadlineNs` (as now(); Infinity: for ever). False when a signal ended it. */
  sleepUntil(deadlineNs: number): boolean {
    for (;;) {
      const left = deadlineNs - this.now();
      if (left <= 0) return true;
      this.doze(left);
      if (this.interrupted()) return false;
    }
  }

  /** One sleep of at most `ns`; ends early for any reason a CPU is woken. */
  doze(ns: number): void {
    const bits = this.asleep(() => this.core.sleep(this.cpu, ns > MAX_SLEEP ? -1n : BigInt(Math.ceil(ns))));
    if ((bits & Pending.Stop) !== 0) throw new ThreadStopped();
  }

  /** Sleeps while `waits()`, deaf to signals: what kicks meanwhile is for the return to guest code. False: this thread
   *  must stop, and the caller undoes what it has. */
  sleepDeaf(waits: () => boolean): boolean {
    const { core, cpu } = this;
    while (waits()) {
      this.asleep(() => core.sleep(cpu, -1n));
      if (core.takePending(cpu, Pending.Stop | Pending.Kick | Pending.Wake) & Pending.Stop) return false;
    }
    return true;
  }

  /** Runs a wait of the core's own, counted as sleep. */
  asleep<T>(wait: () => T): T {
    const from = this.now();
    this.core.sleepBegins(this.cpu, from);
    const result = wait();
    const slept = this.now() - from;
    this.sleptNs += slept;
    this.core.sleepEnds(this.cpu, slept);
    return result;
  }

  /** Takes what ended a sleep, without a look at signals. */
  clearWakeups(): void {
    this.core.takePending(this.cpu, Pending.Kick | Pending.Wake);
  }

  stopIfEnding(): void {
    if (this.core.takePending(this.cpu, Pending.Stop) !== 0) throw new ThreadStopped();
  }

  /** Changes the mask until the return to guest code, where the old one comes back. */
  borrowMask(mask: bigint): void {
    this.savedMask ??= this.core.getMask(this.cpu);
    this.core.setMask(this.cpu, mask);
  }

  /** The old mask, before the call returns. */
  returnMask(): void {
    if (this.savedMask !== undefined) this.core.setMask(this.cpu, this.savedMask);
    this.savedMask = undefined;
  }
}

/** A call that set the registers itself. */
export const NO_RESULT = Number.MIN_SAFE_INTEGER;

const MAX_SLEEP = 2 ** 62;
const NAME_LENGTH = 15;
const BUS_ADRALN = 1;
const BUS_ADRERR = 2;
/** write, writev, pwrite64, pwritev, sendfile, pwritev2. */
const WRITES: ReadonlySet<number> = new Set([64, 66, 68, 70, 71, 287]);
