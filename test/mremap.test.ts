/** mremap where the random sequences of mm-model do not come: no memory for tables half-way, limits, the order of errnos. */
import { expect, test } from "vitest";
import { Limit } from "../src/core/abi/limit";
import { Layout, MapFlag, MremapFlag, Policy, Prot, Tables } from "../src/core/abi/mman";
import { Stat } from "../src/core/abi/stat";
import { bootCore, mustHold, type TestCore } from "./support/core";

const PAGE = 4096n;
const TABLE = 512n * PAGE;
const FIXED = MapFlag.Private | MapFlag.Anonymous | MapFlag.Fixed;
const RW = Prot.Read | Prot.Write;
const { MayMove, Fixed, DontUnmap } = MremapFlag;
const FROM = 0x1000_0000n;
const TO = 0x20_0000_0000n;
const CROWD = 0x4000_0000n;

function put(t: TestCore, at: bigint, value: number): bigint {
  const bounce = t.core.bounce(t.cpu);
  new Uint8Array(t.memory.buffer)[bounce] = value;
  return t.core.guestWrite(t.cpu, at, bounce, 1);
}

function get(t: TestCore, at: bigint): number | bigint {
  const bounce = t.core.bounce(t.cpu);
  const failed = t.core.guestRead(t.cpu, bounce, at, 1);
  return failed === 0n ? new Uint8Array(t.memory.buffer)[bounce] : failed;
}

/** Takes every frame but `left`. */
function crowd(t: TestCore, left: number): void {
  const { core, cpu } = t;
  const most = BigInt(core.stat(Stat.FramesFree));
  expect(core.sysMmap(cpu, CROWD, most * PAGE, RW, FIXED, 0, 0n)).toBe(CROWD);
  let n = 0n;
  while (put(t, CROWD + n * PAGE, 1) === 0n) n++;
  while (core.stat(Stat.FramesFree) < left) {
    n--;
    expect(core.sysMadvise(cpu, CROWD + n * PAGE, PAGE, 4)).toBe(0n);
  }
}

/** From the middle of one table to the beginning of another: three old tables, four pieces. */
for (const tables of [Tables.Rcu, Tables.Irq]) {
  test(`a move without memory for its tables leaves every page where it was, under ${Tables[tables]}`, () => {
    let moved = 0;
    for (let left = 0; left < 8; left++) {
      const t = bootCore(4, 2, Policy.Optimistic, tables, Layout.Page);
      const { core, cpu } = t;
      const bytes = 2n * TABLE;
      const start = FROM + TABLE / 2n;
      expect(core.sysMmap(cpu, start - PAGE, bytes + 2n * PAGE, RW, FIXED, 0, 0n)).toBe(start - PAGE);
      // The tree's nodes and the records of the calls are there before memory gets short.
      expect(core.sysMremap(cpu, start, bytes, bytes, MayMove | Fixed, TO)).toBe(TO);
      expect(core.sysMremap(cpu, TO, bytes, bytes, MayMove | Fixed, start)).toBe(start);
      core.settle(cpu, 10);
      for (let i = 0n; i < 16n; i++) expect(put(t, start + (i * bytes) / 16n, Number(i) + 1)).toBe(0n);
      crowd(t, left);
      const before = core.stat(Stat.FramesFree);
      const got = core.sysMremap(cpu, start, bytes, bytes, MayMove | Fixed, TO + TABLE / 4n);
      mustHold(t);
      const at = got === -12n ? start : TO + TABLE / 4n;
      if (got !== -12n) moved++;
      expect(got === -12n || got === at).toBe(true);
      for (let i = 0n; i < 16n; i++) expect(get(t, at + (i * bytes) / 16n)).toBe(Number(i) + 1);
      expect(get(t, start - PAGE)).toBe(0);
      core.settle(cpu, 10);
      if (got === -12n) expect(core.stat(Stat.FramesFree)).toBe(before);
      mustHold(t);
    }
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(8);
  });
}

test("errnos come in Linux's order", () => {
  const t = bootCore(4, 2);
  const { core, cpu } = t;
  expect(core.sysMmap(cpu, FROM, 4n * PAGE, RW, FIXED, 0, 0n)).toBe(FROM);
  const cases: [addr: bigint, from: bigint, to: bigint, flags: number, target: bigint, errno: bigint][] = [
    [0n, 0n, 0n, 8, 0n, -22n],
    [FROM, PAGE, PAGE, Fixed, TO, -22n],
    [FROM, PAGE, PAGE, DontUnmap, TO, -22n],
    [FROM, PAGE, 2n * PAGE, DontUnmap | MayMove, 0n, -22n],
    [FROM + 1n, PAGE, PAGE, 0, 0n, -22n],
    [FROM, PAGE, 0n, 0, 0n, -22n],
    [TO, PAGE, PAGE, 0, 0n, -14n],
    [FROM, PAGE, PAGE, MayMove | Fixed, TO + 1n, -22n],
    [FROM, PAGE, PAGE, MayMove | Fixed, 1n << 38n, -22n],
    [FROM, 2n * PAGE, PAGE, MayMove | Fixed, FROM + PAGE, -22n],
    [FROM, 0n, PAGE, MayMove, 0n, -22n],
    [FROM, 5n * PAGE, 6n * PAGE, MayMove, 0n, -14n],
    [FROM, PAGE, 2n * PAGE, 0, 0n, -12n],
    [FROM, PAGE, PAGE, MayMove | Fixed, PAGE, -1n],
  ];
  cases.forEach(([addr, from, to, flags, target, errno], i) => {
    expect([i, core.sysMremap(cpu, addr, from, to, flags, target)]).toEqual([i, errno]);
  });
  core.setLimit(cpu, Limit.As, 6n * PAGE);
  expect(core.sysMremap(cpu, FROM, 4n * PAGE, 7n * PAGE, 0, 0n)).toBe(-12n);
  expect(core.sysMremap(cpu, FROM, 4n * PAGE, 6n * PAGE, 0, 0n)).toBe(FROM);
  expect(core.sysMmap(cpu, TO, PAGE, RW, FIXED, 0, 0n)).toBe(-12n);
  expect(core.sysMmap(cpu, FROM, PAGE, RW, FIXED, 0, 0n)).toBe(FROM);
  core.setLimit(cpu, Limit.As, (1n << 64n) - 1n);
  core.setLimit(cpu, Limit.Memlock, 7n * PAGE);
  expect(core.sysMlock(cpu, FROM, 6n * PAGE, 0)).toBe(0n);
  expect(core.sysMremap(cpu, FROM, 6n * PAGE, 8n * PAGE, 0, 0n)).toBe(-11n);
  expect(core.sysMmap(cpu, TO, 2n * PAGE, RW, FIXED | MapFlag.Locked, 0, 0n)).toBe(-11n);
  expect(core.sysMlock(cpu, FROM, 7n * PAGE, 0)).toBe(-12n);
  core.setLimit(cpu, Limit.Memlock, 0n);
  expect(core.sysMlock(cpu, FROM, PAGE, 0)).toBe(-1n);
  core.setLimit(cpu, Limit.Privileged, 1n);
  expect(core.sysMremap(cpu, FROM, 6n * PAGE, 8n * PAGE, 0, 0n)).toBe(FROM);
  mustHold(t);
});

test("DONTUNMAP leaves an empty mapping that is not locked", () => {
  const t = bootCore(4, 2);
  const { core, cpu } = t;
  expect(core.sysMmap(cpu, FROM, 2n * PAGE, RW, FIXED | MapFlag.Locked, 0, 0n)).toBe(FROM);
  expect(put(t, FROM, 9)).toBe(0n);
  const at = core.sysMremap(cpu, FROM, 2n * PAGE, 2n * PAGE, MayMove | DontUnmap, 0n);
  expect(at).toBeGreaterThan(0n);
  expect([get(t, at), get(t, FROM)]).toEqual([9, 0]);
  expect(core.sysMadvise(cpu, FROM, PAGE, 4)).toBe(0n);
  expect(core.sysMadvise(cpu, at, PAGE, 4)).toBe(-22n);
  mustHold(t);
});
