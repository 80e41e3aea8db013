/**
 * run/core.ts: the core as TypeScript sees it, and its instantiation.
 *
 * Addresses of CPUs and of the bounce buffer are offsets in the one shared memory (u32); guest addresses and registers
 * are 64-bit and come as signed BigInts, as every i64 that leaves wasm does.
 */
import { Bug } from "../core/abi/bug.js";

/** The shipping core's exports that the run engine uses. */
export interface Core {
  boot(memoryBytes: number, cpus: number, policy: number, tables: number, layout: number, pretouch: number): number;
  cpuArea(index: number): number;
  cpuCount(): number;
  cpuOnline(cpu: number): void;
  cpuOffline(cpu: number): void;
  bounce(cpu: number): number;
  post(target: number, bits: number): void;
  sleep(cpu: number, timeoutNs: bigint): number;
  takePending(cpu: number, bits: number): number;
  kernelExit(cpu: number): number;
  pauseRun(cpu: number, address: number, seen: number, round: number): void;

  sysMmap(
    cpu: number,
    address: bigint,
    length: bigint,
    prot: number,
    flags: number,
    object: number,
    offset: bigint,
  ): bigint;
  sysMunmap(cpu: number, address: bigint, length: bigint): bigint;
  sysMprotect(cpu: number, address: bigint, length: bigint, prot: number): bigint;
  sysBrk(cpu: number, address: bigint): bigint;
  setBrk(cpu: number, start: bigint): void;
  sysMadvise(cpu: number, address: bigint, length: bigint, advice: number): bigint;
  sysMremap(cpu: number, address: bigint, from: bigint, to: bigint, flags: number, target: bigint): bigint;
  sysMlock(cpu: number, address: bigint, length: bigint, flags: number): bigint;
  sysMunlock(cpu: number, address: bigint, length: bigint): bigint;
  sysMlockAll(cpu: number, flags: number): bigint;
  sysMunlockAll(cpu: number): bigint;
  sysMincore(cpu: number, address: bigint, pages: number, out: number): bigint;
  sysMembarrier(cpu: number, command: number, flags: number): bigint;
  sysRemapFilePages(cpu: number, address: bigint, length: bigint, prot: bigint, pgoff: bigint): bigint;
  removeNext(cpu: number, start: bigint, end: bigint, out: number): bigint;
  msyncNext(cpu: number, start: bigint, end: bigint, flags: number, out: number): bigint;
  nameVma(cpu: number, address: bigint, length: bigint, text: number, textLength: number): bigint;
  populateRange(cpu: number, start: bigint, end: bigint, how: number): bigint;
  setLimit(cpu: number, what: number, value: bigint): void;
  changeLimit(
    cpu: number,
    space: number,
    what: number,
    out: number,
    given: number,
    soft: bigint,
    hard: bigint,
    mayRaise: number,
  ): number;
  copyFromUser(cpu: number, to: number, from: bigint, length: number): bigint;
  copyToUser(cpu: number, to: bigint, from: number, length: number): bigint;
  ioObject(cpu: number): number;
  ioOffset(cpu: number): bigint;
  ioAddress(cpu: number): bigint;
  pageInBegin(cpu: number, list: number, most: number): number;
  pageInEnd(cpu: number, list: number, count: number, valid: number): void;
  writebackBegin(cpu: number, object: number, from: bigint, end: bigint, list: number): number;
  writebackEnd(cpu: number, list: number, count: number, written: number): void;
  closeObject(cpu: number, object: number): void;
  forgetObject(cpu: number, object: number, lost: number): number;
  objectRefs(cpu: number, object: number): number;
  hasObject(cpu: number, object: number): number;
  writableMappings(cpu: number, object: number): number;
  trimsPending(): number;
  trimObjects(cpu: number): void;
  punchObject(cpu: number, object: number, from: bigint, end: bigint): void;
  hostOpen(cpu: number, object: number, size: bigint, dataEnd: bigint): number;
  hostResize(cpu: number, object: number, size: bigint): void;
  hostPunch(cpu: number, object: number, from: bigint, end: bigint): void;
  hostRead(cpu: number, object: number, offset: bigint, target: number, length: number): void;
  hostWrite(cpu: number, object: number, offset: bigint, source: number, length: number): void;

  remoteRead(cpu: number, space: number, to: number, from: bigint, length: number): bigint;
  remoteWrite(cpu: number, space: number, to: bigint, from: number, length: number): bigint;
  /** The space of a process with a reference for the caller, 0 when there is none. */
  processSpace(cpu: number, pid: number): number;
  turnToSpace(cpu: number, space: number): void;
  settleHost(cpu: number): void;
  settle(cpu: number, rounds: number): number;
  verifySpace(cpu: number): number;
  hintSpace(cpu: number, space: number, address: bigint, length: bigint, advice: number): bigint;
  copyBetween(cpu: number, space: number, here: bigint, there: bigint, length: bigint, write: number): bigint;
  nextVma(cpu: number, space: number, address: bigint, out: number): number;
  spaceUsage(cpu: number, space: number, out: number): void;
  setStackStart(cpu: number, address: bigint): void;
  spaceOf(cpu: number): number;
  newSpace(cpu: number): number;
  forkSpace(cpu: number): bigint;
  holdSpace(space: number): void;
  putSpace(cpu: number, space: number): void;
  assignSpace(cpu: number, space: number): void;
  takeReleasedObject(cpu: number): number;
  trapCause(cpu: number): number;
  trapValue(cpu: number): bigint;
  trapCode(cpu: number): number;
  counter(cpu: number, index: number): bigint;
  traceOn(cpu: number, ring: number, records: number): void;
  traceNow(cpu: number): number;
  traceCall(
    cpu: number,
    began: number,
    nr: number,
    address: bigint,
    length: bigint,
    more: bigint,
    flags: number,
    object: number,
    last: bigint,
    result: bigint,
  ): void;
  traceThread(cpu: number, pid: number, tid: number, loaded: number): void;
  traceCount(cpu: number): bigint;
  stat(what: number): number;
  cpuWord(index: number, word: number): number;

  hartRun(cpu: number, fuel: number): number;
  getX(cpu: number, register: number): bigint;
  setX(cpu: number, register: number, value: bigint): void;
  getF(cpu: number, register: number): bigint;
  setF(cpu: number, register: number, value: bigint): void;
  getPc(cpu: number): bigint;
  setPc(cpu: number, pc: bigint): void;
  getFcsr(cpu: number): number;
  setFcsr(cpu: number, value: number): void;
  instructions(cpu: number): bigint;
  copyHart(to: number, from: number): void;
  resetHart(cpu: number): void;
  clearReservation(cpu: number): void;

  taskInit(firstTid: number, maxLive: number): void;
  joinPool(cpu: number): void;
  idleWorkersRacy(): number;
  awaitThread(cpu: number): void;
  firstThread(cpu: number): number;
  claimWorker(cpu: number, flags: number, exitSignal: number): number;
  unclaimWorker(cpu: number, index: number): void;
  startThread(cpu: number, index: number, mask: bigint, clearTid: bigint, setTid: bigint): void;
  endThread(cpu: number, status: number): number;
  addRetired(cpu: number, instructions: bigint): void;
  retiredBefore(index: number): bigint;
  threadTid(index: number): number;
  threadWord(index: number, word: number): number;
  liveThreads(cpu: number): number;
  ownLong(cpu: number, which: number): bigint;
  setOwnLong(cpu: number, which: number, value: bigint): void;
  sleepBegins(cpu: number, sinceNs: number): void;
  sleepEnds(cpu: number, sleptNs: number): void;

  beginExit(cpu: number, status: number): number;
  exitStatus(cpu: number): number;
  endProcess(cpu: number, uid: number): number;
  killOthers(cpu: number): number;
  processNs(cpu: number, pid: number, children: number): number;
  threadNs(cpu: number, tid: number): number;
  beginExec(cpu: number): number;
  threadsLeft(cpu: number): number;
  finishExec(cpu: number): void;
  waitChild(cpu: number, kind: number, id: number, options: number, out: number): number;
  vforkDone(cpu: number): void;
  vforkWaits(cpu: number): number;
  forgetVfork(cpu: number): void;
  ownPid(cpu: number): number;
  parentPid(cpu: number): number;
  processCount(cpu: number): number;
  processWord(pid: number, what: number): number;
  setGroup(cpu: number, pid: number, group: number): number;
  getGroup(cpu: number, pid: number): number;
  getSession(cpu: number, pid: number): number;
  newSession(cpu: number): number;

  firstSpace(): number;
  leaveSpace(cpu: number): void;

  changeAction(
    cpu: number,
    signal: number,
    out: number,
    set: number,
    handler: bigint,
    flags: bigint,
    mask: bigint,
  ): void;
  getMask(cpu: number): bigint;
  setMask(cpu: number, mask: bigint): void;
  setAwaited(cpu: number, set: bigint): void;
  pendingSet(cpu: number): bigint;
  signalWaits(cpu: number): number;
  signalThread(
    cpu: number,
    owner: number,
    tid: number,
    signal: number,
    code: number,
    pid: number,
    uid: number,
    value: bigint,
  ): number;
  signalTo(cpu: number, to: number, signal: number, code: number, pid: number, uid: number, value: bigint): number;
  signalProcess(cpu: number, signal: number, code: number, pid: number, uid: number, value: bigint): number;
  signalFromHost(signal: number): void;
  claimSignal(cpu: number, set: bigint, out: number, any: number): number;
  forceSignal(cpu: number, signal: number, out: number): void;

  timerCreate(cpu: number, clock: number, signal: number, tid: number, value: bigint, ownId: number): number;
  timerSet(cpu: number, id: number, deadlineNs: number, intervalNs: number, out: number): number;
  timerGet(cpu: number, id: number, out: number): number;
  timerClock(cpu: number, id: number): number;
  timerOverrun(cpu: number, id: number): number;
  timerDelete(cpu: number, id: number): number;
  nextTimer(): number;
  timersDue(): void;

  futexWait(cpu: number, shared: number, address: bigint, expected: number, bitset: number, deadlineNs: number): bigint;
  futexWake(cpu: number, shared: number, address: bigint, count: number, bitset: number): bigint;
  futexRequeue(
    cpu: number,
    shared: number,
    from: bigint,
    to: bigint,
    wake: number,
    move: number,
    compare: number,
    expected: number,
  ): bigint;
  futexWakeOp(
    cpu: number,
    shared: number,
    first: bigint,
    wake: number,
    second: bigint,
    wakeSecond: number,
    op: number,
  ): bigint;
  swapUser(cpu: number, address: bigint, expected: number, wanted: number): bigint;
}

/** A broken invariant of the core: "function: reason". */
export class CoreBug extends Error {}

/** "function: reason" of a Bug. */
export function bugText(code: number): string {
  const name = Bug[code];
  if (name === undefined) return `bug: unknown code ${code}`;
  const [where, ...reason] = name.split("_");
  return `${where}: ${reason.join(" ")}`;
}

/** One instance of the core over the machine's memory; `now` counts nanoseconds from the same moment in every worker. */
export function instantiateCore(module: WebAssembly.Module, memory: WebAssembly.Memory, now: () => number): Core {
  const exports = new WebAssembly.Instance(module, {
    env: {
      memory,
      now,
      pause: (cpu: number, address: number, seen: number, round: number) => exports.pauseRun(cpu, address, seen, round),
      bug: (cpu: number, code: number) => {
        throw new CoreBug(`${bugText(code)} (cpu area 0x${(cpu >>> 0).toString(16)})`);
      },
    },
  }).exports as unknown as Core;
  return exports;
}
