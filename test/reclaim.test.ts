/** Memory that others hold back is found before a fault is told that there is none. Two CPUs of one 2 MB memory. */
import { expect, test } from "vitest";
import { Access, Exit } from "../src/core/abi/exit";
import { MapFlag, Prot } from "../src/core/abi/mman";
import { Stat } from "../src/core/abi/stat";
import { bootCore, type TestCore } from "./support/core";

const PAGE = 4096n;
const BLOCK = 1n << 21n;
const FIRST = 0x4000_0000n;
const ANON = MapFlag.Private | MapFlag.Anonymous | MapFlag.Fixed | MapFlag.NoReserve;
const RW = Prot.Read | Prot.Write;

/** One page in each of `tables` tables, mapped and unmapped again by `cpu`: as many tables wait for a grace period. */
function holdTables({ core }: TestCore, cpu: number, tables: number): void {
  for (let i = 0n; i < tables; i++) {
    const at = FIRST + i * BLOCK;
    expect(core.sysMmap(cpu, at, PAGE, RW, ANON, 0, 0n)).toBe(at);
    expect(core.fill(cpu, at, Access.Write)).toBe(Exit.None);
    expect(core.sysMunmap(cpu, at, PAGE)).toBe(0n);
  }
}

/** Faults pages in until there is no frame; how many came. */
function exhaust({ core, cpu }: TestCore): number {
  const start = 1n << 36n;
  core.sysMmap(cpu, start, 4096n * PAGE, RW, ANON, 0, 0n);
  for (let i = 0; i < 4096; i++) {
    const exit = core.fill(cpu, start + BigInt(i) * PAGE, Access.Write);
    if (exit !== Exit.None) {
      expect(exit).toBe(Exit.Oom);
      return i;
    }
  }
  throw new Error("the memory was not used up");
}

test.each([0, 20])("an idle CPU's %i deferred tables are not lost to the others", (tables) => {
  const machine = bootCore(2, 2);
  const { core } = machine;
  const other = core.cpuArea(1);
  core.idleEnter(machine.cpu);
  core.cpuOnline(other);
  holdTables(machine, other, tables);
  core.idleEnter(other);
  core.idleLeave(machine.cpu);
  const before = core.stat(1);
  exhaust(machine);
  expect(core.stat(1)).toBe(0);
  expect(before).toBeGreaterThan(0);
});

test("true exhaustion is told at once", () => {
  const machine = bootCore(2, 1);
  exhaust(machine);
  const from = performance.now();
  expect(machine.core.fill(machine.cpu, (1n << 36n) + 4095n * PAGE, Access.Write)).toBe(Exit.Oom);
  expect(performance.now() - from).toBeLessThan(500);
});

test("a fork that wants more than there is does not take what it gave back for memory that came back", () => {
  const machine = bootCore(2, 1);
  const { core, cpu } = machine;
  const tables = 30n;
  for (let i = 0n; i < tables; i++) {
    const at = FIRST + i * BLOCK;
    expect(core.sysMmap(cpu, at, PAGE, RW, ANON, 0, 0n)).toBe(at);
    expect(core.fill(cpu, at, Access.Write)).toBe(Exit.None);
  }
  exhaust(machine);
  const few = 10n;
  expect(core.sysMunmap(cpu, 1n << 36n, few * PAGE)).toBe(0n);
  // Records that came for the copy stay in their slabs.
  const left = () => core.stat(Stat.FramesFree) + core.stat(Stat.FramesHeld) + core.stat(Stat.SlabFrames);
  const before = left();
  expect(core.forkSpace(cpu)).toBe(-12n);
  core.settle(cpu, 100);
  expect(left()).toBe(before);
});
