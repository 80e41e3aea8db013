/** The timer table alone: one thread, deadlines that lie in the past, so that nothing waits for a clock. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Layout, Policy, Pretouch, Tables } from "../src/core/abi/mman";
import { instantiateCore } from "../src/run/core";

const module = new WebAssembly.Module(readFileSync(new URL("../build/core.wasm", import.meta.url)));
const SIGNAL = 40;
const MS = 1e6;
const ALL = (1n << 64n) - 1n;
const SI_TIMER = -2;

function machine() {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  let time = 1000 * MS;
  const core = instantiateCore(module, memory, () => time);
  core.boot(64 * 65536, 2, Policy.Optimistic, Tables.Rcu, Layout.Page, Pretouch.None);
  core.taskInit(100, 2);
  const cpu = core.cpuArea(0);
  const tid = core.firstThread(cpu);
  core.cpuOnline(cpu);
  const out = core.bounce(cpu);
  const view = new DataView(memory.buffer);
  core.changeAction(cpu, SIGNAL, 0, 1, 0x1000n, 4n, 0n);
  return {
    core,
    cpu,
    tid,
    out,
    pass: (ms: number) => {
      time += ms * MS;
      return time;
    },
    now: () => time,
    /** What the host does when a deadline has come, then the thread. */
    take: () => {
      core.timersDue();
      const signal = core.claimSignal(cpu, ALL, out, 0);
      return signal === 0
        ? undefined
        : {
            signal,
            code: view.getInt32(out, true),
            id: view.getInt32(out + 4, true),
            overrun: view.getInt32(out + 8, true),
            value: view.getBigUint64(out + 16, true),
          };
    },
    left: (id: number) => {
      expect(core.timerGet(cpu, id, out)).toBe(0);
      return [view.getFloat64(out, true), view.getFloat64(out + 8, true)];
    },
  };
}

const make = ({ core, cpu }: ReturnType<typeof machine>, tid = 0, signal = SIGNAL) =>
  core.timerCreate(cpu, 1, signal, tid, 77n, 0);

test("a timer fires once, no earlier than its deadline", () => {
  const m = machine();
  const id = make(m);
  m.core.timerSet(m.cpu, id, m.now() + 10 * MS, 0, m.out);
  expect(m.core.nextTimer()).toBe(m.now() + 10 * MS);
  m.pass(9);
  expect(m.take()).toBeUndefined();
  m.pass(1);
  expect(m.take()).toEqual({ signal: SIGNAL, code: SI_TIMER, id, overrun: 0, value: 77n });
  expect(m.core.nextTimer()).toBe(-1);
  expect(m.left(id)).toEqual([0, 0]);
  m.pass(100);
  expect(m.take()).toBeUndefined();
});

test("expirations while the signal is pending are its overrun, up to when it is taken; no drift", () => {
  const m = machine();
  const id = make(m, m.tid);
  const start = m.now() + 5 * MS;
  m.core.timerSet(m.cpu, id, start, 5 * MS, m.out);
  m.pass(5);
  m.core.timersDue();
  expect(m.core.signalWaits(m.cpu)).toBe(1);
  m.pass(22);
  expect(m.take()).toMatchObject({ id, overrun: 4 });
  expect(m.core.timerOverrun(m.cpu, id)).toBe(4);
  expect(m.core.nextTimer()).toBe(start + 25 * MS);
  expect(m.left(id)).toEqual([3 * MS, 5 * MS]);
});

test("a timer that goes takes its pending signal with it", () => {
  const m = machine();
  const [first, second] = [make(m), make(m, m.tid)] as const;
  for (const id of [first, second]) m.core.timerSet(m.cpu, id, m.now(), 0, m.out);
  m.core.timersDue();
  expect(m.core.signalWaits(m.cpu)).toBe(1);
  expect(m.core.timerDelete(m.cpu, first)).toBe(0);
  expect(m.core.timerDelete(m.cpu, first)).toBe(-22);
  expect(m.take()).toMatchObject({ id: second });
  expect(m.take()).toBeUndefined();
  expect(m.core.pendingSet(m.cpu)).toBe(0n);
});

test("a thread that is not there, a table that is full, an ignored signal", () => {
  const m = machine();
  expect(make(m, 12345)).toBe(-22);
  const ids = Array.from({ length: 128 }, () => make(m));
  expect(new Set(ids).size).toBe(128);
  expect(make(m)).toBe(-11);
  const id = ids[5] as number;
  m.core.changeAction(m.cpu, SIGNAL, 0, 1, 1n, 0n, 0n);
  m.core.timerSet(m.cpu, id, m.now(), 1 * MS, m.out);
  m.pass(3);
  expect(m.take()).toBeUndefined();
  m.core.changeAction(m.cpu, SIGNAL, 0, 1, 0x1000n, 4n, 0n);
  m.pass(1);
  expect(m.take()).toMatchObject({ id, overrun: 0 });
});

test("a timer that signals nobody never wakes the host, and keeps its time", () => {
  const m = machine();
  const id = make(m, 0, 0);
  m.core.timerSet(m.cpu, id, m.now() + 4 * MS, 10 * MS, m.out);
  expect(m.core.nextTimer()).toBe(-1);
  m.pass(7);
  expect(m.left(id)).toEqual([7 * MS, 10 * MS]);
});
