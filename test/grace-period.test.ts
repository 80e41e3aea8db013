/** Grace periods on two CPUs, driven step by step from one thread. */
import { expect, test } from "vitest";
import { MapFlag, Prot } from "../src/core/abi/mman";
import type { MemoryCore } from "../src/embed/memoryCore";
import { bootCore } from "./support/core";

const PAGE = 4096n;

/** CPU 0 has unmapped something: records wait. CPU 1 is online and, at first, idle. */
function twoCpus(): { core: MemoryCore; driver: number; other: number } {
  const { core: booted, cpu: driver } = bootCore();
  const core = booted as unknown as MemoryCore;
  const other = core.cpuArea(1);
  core.cpuOnline(other);
  core.idleEnter(other);
  const at = core.sysMmap(driver, 0n, PAGE, Prot.Read, MapFlag.Private | MapFlag.Anonymous, 0, 0n);
  expect(core.sysMunmap(driver, at, PAGE)).toBe(0n);
  expect(core.settle(driver, 0)).toBeGreaterThan(0);
  return { core, driver, other };
}

test("an idle CPU is not waited for", () => {
  const { core, driver } = twoCpus();
  expect(core.settle(driver, 8)).toBe(0);
});

test("an awake CPU is waited for until it polls", () => {
  const { core, driver, other } = twoCpus();
  core.idleLeave(other);
  const waiting = core.settle(driver, 20);
  expect(waiting).toBeGreaterThan(0);
  for (let i = 0; i < 4; i++) {
    core.kernelExit(other);
    core.settle(driver, 2);
  }
  expect(core.settle(driver, 0)).toBe(0);
});

test("a CPU that was idle when the period began and woke since is asked again", () => {
  const { core, driver, other } = twoCpus();
  core.settle(driver, 1);
  core.idleLeave(other);
  expect(core.settle(driver, 4)).toBeGreaterThan(0);
  // From here it only polls, as a thread that computes: were it never asked, its polls would say nothing.
  for (let i = 0; i < 4; i++) {
    core.kernelExit(other);
    core.settle(driver, 2);
  }
  expect(core.settle(driver, 0)).toBe(0);
});
