/** Page tables cut from blocks: what comes back when, what is kept back, and where a block comes from when memory was used. */
import { expect, test } from "vitest";
import { Access, Exit } from "../src/core/abi/exit";
import { Layout, MapFlag, Policy, Prot, Tables } from "../src/core/abi/mman";
import { Stat } from "../src/core/abi/stat";
import { bootCore, mustHold, type TestCore } from "./support/core";

const PAGE = 4096n;
const SPAN = 1n << 21n;
const FIRST = 0x4000_0000n;
const ANON = MapFlag.Private | MapFlag.Anonymous | MapFlag.Fixed | MapFlag.NoReserve;
const RW = Prot.Read | Prot.Write;

/** One page, in a leaf table of its own. */
function touch({ core, cpu }: TestCore, i: number): number {
  const at = FIRST + BigInt(i) * SPAN;
  expect(core.sysMmap(cpu, at, PAGE, RW, ANON, 0, 0n)).toBe(at);
  return core.fill(cpu, at, Access.Write);
}

function unmap({ core, cpu }: TestCore, i: number): void {
  expect(core.sysMunmap(cpu, FIRST + BigInt(i) * SPAN, PAGE)).toBe(0n);
}

function held({ core }: TestCore): number {
  return core.stat(Stat.FramesHeld);
}

function boot(tables: Tables, layout: Layout): TestCore {
  return bootCore(16, 1, Policy.Optimistic, tables, layout);
}

/** Root and middle table fill the first block of two; leaf tables come in pairs. */
test("a half is reused after its own grace period, not before", () => {
  const t = boot(Tables.Rcu, Layout.Halves);
  for (let i = 0; i < 4; i++) touch(t, i);
  expect([t.core.stat(Stat.FramesTable), held(t)]).toEqual([6, 0]);
  unmap(t, 0);
  unmap(t, 2);
  // Both wait: two new tables need a block of their own.
  touch(t, 4);
  touch(t, 5);
  expect(t.core.stat(Stat.FramesTable)).toBe(6);
  expect(t.core.settle(t.cpu, 100)).toBe(0);
  expect(held(t)).toBe(2);
  touch(t, 6);
  touch(t, 7);
  expect([t.core.stat(Stat.FramesTable), held(t)]).toEqual([8, 0]);
  mustHold(t);
});

test("the second half of a block, retired while the first waits, needs a period of its own", () => {
  const t = boot(Tables.Rcu, Layout.Halves);
  // Two that stay, and keep the middle table; then the two of one block.
  for (const i of [8, 9, 0, 1]) touch(t, i);
  unmap(t, 0);
  // A period begins, and is asked of this CPU.
  expect(t.core.settle(t.cpu, 1)).toBeGreaterThan(0);
  unmap(t, 1);
  t.core.kernelExit(t.cpu);
  t.core.settle(t.cpu, 1);
  // The first period is over: one half is spare; the other still waits, so a second table needs another block.
  touch(t, 2);
  expect([t.core.stat(Stat.FramesTable), held(t)]).toEqual([5, 1]);
  touch(t, 3);
  expect([t.core.stat(Stat.FramesTable), held(t)]).toEqual([6, 2]);
  expect(t.core.settle(t.cpu, 100)).toBe(0);
  touch(t, 4);
  touch(t, 5);
  expect([t.core.stat(Stat.FramesTable), held(t)]).toEqual([8, 0]);
});

test.each([
  Tables.Rcu,
  Tables.Irq,
])("no fragment is reused before its whole block is free (protection %i)", (tables) => {
  const t = boot(tables, Layout.Fragments);
  // The root, the middle table and 14 leaves fill the first block; 16 more the second.
  for (let i = 0; i < 30; i++) touch(t, i);
  expect([t.core.stat(Stat.FramesTable), held(t)]).toEqual([32, 0]);
  for (let i = 14; i < 29; i++) unmap(t, i);
  t.core.settle(t.cpu, 100);
  expect([t.core.stat(Stat.FramesTable), held(t)]).toEqual([17, 15]);
  touch(t, 31);
  expect([t.core.stat(Stat.FramesTable), held(t)]).toEqual([18, 30]);
  unmap(t, 29);
  t.core.settle(t.cpu, 100);
  // Free as a whole, and kept for the next block.
  expect([t.core.stat(Stat.FramesTable), held(t)]).toEqual([17, 31]);
  for (let i = 32; i < 48; i++) touch(t, i);
  expect([t.core.stat(Stat.FramesTable), held(t)]).toEqual([33, 15]);
  mustHold(t);
});

test.each([
  Layout.Halves,
  Layout.Fragments,
])("a block is assembled of frames that were used before (layout %i)", (layout) => {
  const t = boot(Tables.Irq, layout);
  const { core, cpu } = t;
  const start = 1n << 36n;
  core.sysMmap(cpu, start, 8192n * PAGE, RW, ANON, 0, 0n);
  let used = 0n;
  while (core.fill(cpu, start + used * PAGE, Access.Write) === Exit.None) used++;
  expect(core.stat(Stat.FramesFree)).toBe(0);
  expect(core.sysMadvise(cpu, start, used * PAGE, 4)).toBe(0n);
  for (let i = 0; i < 40; i++) expect(touch(t, i)).toBe(Exit.None);
  mustHold(t);
});

test("where no run of frames is left, a fault that needs a block is told so, and soon", () => {
  const t = boot(Tables.Irq, Layout.Fragments);
  const { core, cpu } = t;
  const start = 1n << 36n;
  core.sysMmap(cpu, start, 8192n * PAGE, RW, ANON, 0, 0n);
  let used = 0n;
  while (core.fill(cpu, start + used * PAGE, Access.Write) === Exit.None) used++;
  // Every other page is given back: no two frames beside each other are sure to be free, and no sixteen are.
  for (let i = 0n; i < used; i += 2n) core.sysMadvise(cpu, start + i * PAGE, PAGE, 4);
  const from = performance.now();
  let exit: number = Exit.None;
  for (let i = 0; i < 60 && exit === Exit.None; i++) exit = touch(t, i);
  expect(exit).toBe(Exit.Oom);
  expect(core.stat(Stat.FramesFree)).toBeGreaterThan(100);
  expect(performance.now() - from).toBeLessThan(1000);
  mustHold(t);
});

test("kept blocks become frames when memory is short", () => {
  const t = boot(Tables.Irq, Layout.Fragments);
  const { core, cpu } = t;
  for (let i = 0; i < 200; i++) touch(t, i);
  for (let i = 0; i < 200; i++) unmap(t, i);
  expect(held(t)).toBeGreaterThan(100);
  const start = 1n << 36n;
  core.sysMmap(cpu, start, 8192n * PAGE, RW, ANON, 0, 0n);
  let used = 0n;
  while (core.fill(cpu, start + used * PAGE, Access.Write) === Exit.None) used++;
  expect(held(t)).toBeLessThan(48);
  mustHold(t);
});
