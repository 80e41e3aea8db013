/** Processes in the core alone: one test thread plays all CPUs, so every race is a given order. */
import { expect, test } from "vitest";
import { Errno } from "../src/core/abi/errno";
import { Pending } from "../src/core/abi/pending";
import { Stat } from "../src/core/abi/stat";
import { ClaimFlag, ProcessWord } from "../src/core/abi/word";
import type { Core } from "../src/run/core";
import { bootCore } from "./support/core";

const [KILL, USR1, USR2, CHLD] = [9, 10, 12, 17];
const [EXITED, NOWAIT, WALL, WCLONE] = [4, 0x01000000, 0x40000000, 0x80000000];
const [P_ALL, P_PID, P_PGID] = [0, 1, 2];
const CPUS = 6;
const UID = 1000;
const ALL = (1n << 64n) - 1n;
const [SIG_IGN, HANDLER] = [1n, 0x1000n];
const NOCLDWAIT = 2n;

function machine() {
  const booted = bootCore(16, CPUS);
  const core = booted.core as unknown as Core;
  const view = new DataView(booted.memory.buffer);
  const { cpu } = booted;
  const out = core.bounce(cpu);
  core.taskInit(100, CPUS);
  core.firstThread(cpu);
  for (let i = CPUS - 1; i > 0; i--) core.joinPool(core.cpuArea(i));
  const area = (index: number) => core.cpuArea(index);
  return {
    core,
    cpu,
    area,
    /** A child of the process that runs on `by`: the CPU it runs on. */
    fork(by = cpu, flags = 0, signal = CHLD) {
      const index = core.claimWorker(by, ClaimFlag.Process | flags, signal);
      if (index >= 0) core.startThread(by, index, 0n, 0n, 0n);
      return index;
    },
    /** The process on CPU `index` exits with `code`; its worker is idle again. */
    exit(index: number, code: number) {
      core.beginExit(area(index), code << 8);
      expect(core.endThread(area(index), 0)).toBe(0);
      core.endProcess(area(index), UID);
      core.joinPool(area(index));
    },
    pid: (index: number) => core.ownPid(area(index)),
    /** The pid, or a negative errno, and the status. */
    wait(by = cpu, kind = P_ALL, id = 0, options = EXITED): [number, number] {
      const pid = core.waitChild(by, kind, id, options, out);
      return [pid, pid > 0 ? view.getUint32(out, true) : 0];
    },
    posted: (index: number, bits: number) => core.takePending(area(index), bits) !== 0,
    claim(index: number) {
      const signal = core.claimSignal(area(index), ALL, out, 1);
      return signal === 0
        ? undefined
        : [signal, view.getInt32(out, true), view.getUint32(out + 4, true), view.getUint32(out + 16, true)];
    },
    handle: (index: number, signal: number, handler: bigint, flags = 0n) =>
      core.changeAction(area(index), signal, 0, 1, handler, flags, 0n),
  };
}

test("a child is a zombie from its end until it is waited for, and then gone", () => {
  const m = machine();
  expect(m.wait()).toEqual([-Errno.ECHILD, 0]);
  const child = m.fork();
  const pid = m.pid(child);
  expect(m.wait()).toEqual([0, 0]);
  m.exit(child, 42);
  expect(m.posted(0, Pending.Wake)).toBe(true);
  expect(m.core.processWord(pid, ProcessWord.State)).toBe(2);
  expect(m.wait(m.cpu, P_ALL, 0, EXITED | NOWAIT)).toEqual([pid, 42 << 8]);
  expect(m.wait()).toEqual([pid, 42 << 8]);
  expect(m.core.processWord(pid, ProcessWord.State)).toBe(-1);
  expect(m.wait()).toEqual([-Errno.ECHILD, 0]);
});

test("who is waited for: by pid, by group, by kind of child", () => {
  const m = machine();
  const [first, second] = [m.fork(), m.fork(m.cpu, 0, 0)];
  const [a, b] = [m.pid(first), m.pid(second)];
  expect(m.core.setGroup(m.cpu, a, 0)).toBe(0);
  m.exit(first, 1);
  m.exit(second, 2);
  expect(m.wait(m.cpu, P_PID, b)).toEqual([-Errno.ECHILD, 0]);
  expect(m.wait(m.cpu, P_PGID, 100)).toEqual([-Errno.ECHILD, 0]);
  expect(m.wait(m.cpu, P_ALL, 0, EXITED | WCLONE | NOWAIT)).toEqual([b, 2 << 8]);
  expect(m.wait(m.cpu, P_PGID, a)).toEqual([a, 1 << 8]);
  expect(m.wait(m.cpu, P_PID, b, EXITED | WALL)).toEqual([b, 2 << 8]);
});

test("the parent is told by SIGCHLD what became of the child, or leaves no zombie", () => {
  const m = machine();
  m.handle(0, CHLD, HANDLER);
  const exits = m.fork();
  const [pid] = [m.pid(exits)];
  m.exit(exits, 3);
  expect(m.claim(0)).toEqual([CHLD, 1, pid, 3]);
  const killed = m.fork();
  m.core.signalTo(m.cpu, m.pid(killed), KILL, 0, 100, UID, 0n);
  expect(m.posted(killed, Pending.Stop)).toBe(true);
  m.exit(killed, 0);
  expect(m.claim(0)).toEqual([CHLD, 2, m.pid(killed), KILL]);
  for (const [handler, flags, told] of [
    [SIG_IGN, 0n, false],
    [HANDLER, NOCLDWAIT, true],
  ] as const) {
    while (m.wait()[0] > 0);
    m.handle(0, CHLD, handler, flags);
    m.exit(m.fork(), 1);
    expect(m.wait()).toEqual([-Errno.ECHILD, 0]);
    expect(m.claim(0) !== undefined).toBe(told);
  }
});

test("orphans have parent 1 and leave nothing behind, zombie or alive", () => {
  const m = machine();
  const middle = m.fork();
  const [dead, lives] = [m.fork(m.area(middle)), m.fork(m.area(middle))];
  const [deadPid, livesPid] = [m.pid(dead), m.pid(lives)];
  expect(m.core.parentPid(m.area(lives))).toBe(m.pid(middle));
  m.exit(dead, 1);
  m.exit(middle, 0);
  expect(m.core.processWord(deadPid, ProcessWord.State)).toBe(-1);
  expect(m.core.parentPid(m.area(lives))).toBe(1);
  m.exit(lives, 1);
  expect(m.core.processWord(livesPid, ProcessWord.State)).toBe(-1);
  expect(m.wait()[0]).toBeGreaterThan(0);
  expect(m.core.processCount(m.cpu)).toBe(1);
});

test("a Stop that its thread did not hear is not the next thread's", () => {
  const m = machine();
  const child = m.fork();
  m.core.signalTo(m.cpu, m.pid(child), KILL, 0, 100, UID, 0n);
  m.core.endThread(m.area(child), 0);
  m.core.endProcess(m.area(child), UID);
  m.core.joinPool(m.area(child));
  expect(m.fork()).toBe(child);
  expect(m.posted(child, Pending.Stop)).toBe(false);
});

test("a thread that is cloned while its process ends, or executes, is stopped at once", () => {
  const m = machine();
  const child = m.fork();
  const late = m.core.claimWorker(m.area(child), 0, 0);
  expect(m.core.beginExec(m.area(child))).toBe(0);
  m.core.startThread(m.area(child), late, 0n, 0n, 0n);
  expect(m.posted(late, Pending.Stop)).toBe(true);
  expect(m.core.beginExec(m.area(late))).toBe(-Errno.EAGAIN);
  expect(m.core.threadsLeft(m.area(child))).toBe(2);
  expect(m.core.endThread(m.area(late), 0)).toBe(1);
  expect(m.posted(child, Pending.Wake)).toBe(true);
  m.core.finishExec(m.area(child));
  m.core.joinPool(m.area(late));
  const other = m.core.claimWorker(m.area(child), 0, 0);
  m.core.beginExit(m.area(child), 0);
  m.core.startThread(m.area(child), other, 0n, 0n, 0n);
  expect(m.posted(other, Pending.Stop)).toBe(true);
});

test("exec by another thread takes the process's id; handlers go, what is ignored stays", () => {
  const m = machine();
  const child = m.fork();
  const pid = m.pid(child);
  const thread = m.core.claimWorker(m.area(child), 0, 0);
  m.core.startThread(m.area(child), thread, 0n, 0n, 0n);
  m.handle(child, USR1, HANDLER);
  m.handle(child, USR2, SIG_IGN);
  expect(m.core.threadTid(thread)).not.toBe(pid);
  expect(m.core.beginExec(m.area(thread))).toBe(0);
  expect(m.posted(child, Pending.Stop)).toBe(true);
  m.core.endThread(m.area(child), 0);
  m.core.finishExec(m.area(thread));
  expect([m.core.threadTid(thread), m.pid(thread)]).toEqual([pid, pid]);
  m.core.signalTo(m.cpu, pid, USR2, 0, 100, UID, 0n);
  expect(m.core.pendingSet(m.area(thread))).toBe(0n);
  m.core.signalTo(m.cpu, pid, USR1, 0, 100, UID, 0n);
  expect(m.core.pendingSet(m.area(thread))).toBe(1n << 9n);
  expect(m.core.setGroup(m.cpu, pid, 0)).toBe(-Errno.EACCES);
});

test("signals find a process, a group, all but the sender; timers only their own process's", () => {
  const m = machine();
  const [one, two] = [m.fork(), m.fork()];
  for (const i of [0, one, two]) m.handle(i, USR1, HANDLER);
  const takes = () => [0, one, two].map((i) => m.claim(i) !== undefined);
  const send = (to: number) => m.core.signalTo(m.cpu, to, USR1, 0, 100, UID, 0n);
  expect([send(m.pid(one)), takes()]).toEqual([0, [false, true, false]]);
  expect([send(0), takes()]).toEqual([0, [true, true, true]]);
  expect([send(-1), takes()]).toEqual([0, [false, true, true]]);
  m.core.setGroup(m.cpu, m.pid(two), 0);
  expect([send(-m.pid(two)), takes()]).toEqual([0, [false, false, true]]);
  m.core.signalFromHost(USR1);
  expect(m.core.signalWaits(m.cpu)).toBe(1);
  expect(takes()).toEqual([true, true, false]);
  expect([send(4711), send(-4711)]).toEqual([-Errno.ESRCH, -Errno.ESRCH]);
  const id = m.core.timerCreate(m.area(one), 1, USR1, 0, 0n, 0);
  expect(m.core.timerDelete(m.cpu, id)).toBe(-Errno.EINVAL);
  m.core.timerSet(m.area(one), id, 1, 0, m.core.bounce(m.cpu));
  m.core.timersDue();
  expect(m.core.signalWaits(m.cpu)).toBe(0);
  expect(takes()).toEqual([false, true, false]);
});

test("dispositions are copied, or shared when the clone says so, until one executes", () => {
  const m = machine();
  const [copy, shared] = [m.fork(), m.fork(m.cpu, ClaimFlag.ShareActions)];
  m.handle(0, USR1, SIG_IGN);
  const pends = (index: number) => {
    m.core.signalTo(m.cpu, m.pid(index), USR1, 0, 100, UID, 0n);
    return m.claim(index) !== undefined;
  };
  expect([pends(copy), pends(shared)]).toEqual([true, false]);
  m.core.beginExec(m.area(shared));
  m.core.finishExec(m.area(shared));
  m.handle(0, USR1, HANDLER);
  expect(pends(shared)).toBe(false);
  m.exit(shared, 0);
  m.handle(0, USR1, SIG_IGN);
  expect(m.wait()[0]).toBeGreaterThan(0);
});

test("a session's leader and a group's", () => {
  const m = machine();
  const child = m.fork();
  const pid = m.pid(child);
  expect(m.core.newSession(m.cpu)).toBe(-Errno.EPERM);
  expect(m.core.newSession(m.area(child))).toBe(pid);
  expect([m.core.getGroup(m.cpu, pid), m.core.getSession(m.cpu, pid)]).toEqual([pid, pid]);
  expect(m.core.setGroup(m.cpu, pid, 100)).toBe(-Errno.EPERM);
  expect(m.core.setGroup(m.area(child), 0, 0)).toBe(-Errno.EPERM);
  expect(m.core.getGroup(m.cpu, 4711)).toBe(-Errno.ESRCH);
  expect(m.core.setGroup(m.cpu, 4711, 0)).toBe(-Errno.ESRCH);
  expect(m.core.setGroup(m.cpu, 0, -1)).toBe(-Errno.EINVAL);
});

test("a vfork's parent waits for exec or the end, and a killed one is waited for by nobody", () => {
  const m = machine();
  const ends = [
    (child: number) => {
      m.core.beginExec(m.area(child));
      m.core.finishExec(m.area(child));
    },
    (child: number) => m.exit(child, 0),
  ];
  for (const end of ends) {
    const child = m.fork(m.cpu, ClaimFlag.Vfork);
    expect(m.core.vforkWaits(m.cpu)).toBe(1);
    end(child);
    expect([m.core.vforkWaits(m.cpu), m.posted(0, Pending.Wake)]).toEqual([0, true]);
  }
  const child = m.fork(m.cpu, ClaimFlag.Vfork);
  m.core.forgetVfork(m.cpu);
  m.posted(0, Pending.Wake);
  m.core.vforkDone(m.area(child));
  expect(m.posted(0, Pending.Wake)).toBe(false);
});

test("a claim given up leaves no process; at the limit, EAGAIN, also of zombies", () => {
  const m = machine();
  const index = m.core.claimWorker(m.cpu, ClaimFlag.Process | ClaimFlag.Vfork, CHLD);
  m.core.unclaimWorker(m.cpu, index);
  expect([m.core.processCount(m.cpu), m.core.vforkWaits(m.cpu), m.wait()[0]]).toEqual([1, 0, -Errno.ECHILD]);
  for (let i = 1; i < CPUS; i++) m.exit(m.fork(), i);
  expect(m.fork()).toBe(-Errno.EAGAIN);
  expect(m.wait()[0]).toBeGreaterThan(0);
  expect(m.fork()).toBeGreaterThan(0);
});

test("the first process's end kills all others, those too that come meanwhile", () => {
  const m = machine();
  const one = m.fork();
  expect(m.core.killOthers(m.cpu)).toBe(2);
  const late = m.core.claimWorker(m.area(one), ClaimFlag.Process, CHLD);
  expect(m.core.killOthers(m.cpu)).toBe(3);
  m.core.startThread(m.area(one), late, 0n, 0n, 0n);
  expect([m.posted(one, Pending.Stop), m.posted(late, Pending.Stop)]).toEqual([true, true]);
  m.exit(late, 0);
  m.exit(one, 0);
  expect(m.core.killOthers(m.cpu)).toBe(1);
});

test("a space that finds no memory for its copy is ENOMEM, every time, and leaves nothing behind", () => {
  const booted = bootCore(2, 1);
  const core = booted.core as unknown as Core;
  const { cpu } = booted;
  const pages = 64;
  const at = 0x1000_0000n;
  core.sysMmap(cpu, at, BigInt(pages * 4096), 3, 0x22, 0, 0n);
  for (let i = 0; i < pages; i++) core.copyToUser(cpu, at + BigInt(i * 4096), core.bounce(cpu), 1);
  const settled = () => {
    for (let i = 0; i < 8; i++) booted.core.settle(cpu, 8);
    return core.stat(Stat.FramesFree);
  };
  /** Copies until there is no memory for one: how many there were, and what is free when they are gone. */
  const filled = () => {
    const children: number[] = [];
    for (let child = core.forkSpace(cpu); child > 0n; child = core.forkSpace(cpu)) children.push(Number(child));
    expect(core.forkSpace(cpu)).toBe(BigInt(-Errno.ENOMEM));
    for (const child of children) core.putSpace(cpu, child);
    return [children.length, settled()];
  };
  // Slabs and blocks of tables keep what they have grown to the first time.
  filled();
  const first = filled();
  expect(first[0]).toBeGreaterThan(3);
  expect(filled()).toEqual(first);
});
