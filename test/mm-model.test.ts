/**
 * The memory calls against a one-at-a-time model: one protection and one byte a page, under random sequences. Every
 * page's access rights and contents are compared after each step, the whole structure is checked, and at the end of
 * each run all frames and records must be back.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Access } from "../src/core/abi/exit";
import { Layout, MapFlag, Policy, Prot, Tables } from "../src/core/abi/mman";
import { Stat } from "../src/core/abi/stat";
import { bootCore, mustHold, type TestCore } from "./support/core";

const BASE = 0x20_0000n * 5n;
const PAGES = 40;
/** Page i lies at one of three places, so that ranges span tables: far apart in steps of a table. */
const STRIDE = 4096n;
const FIXED_ANON = MapFlag.Private | MapFlag.Anonymous | MapFlag.Fixed;

interface Page {
  prot: number;
  value: number;
}

type Step =
  | { op: "map"; at: number; n: number; prot: number; noReplace: boolean }
  | { op: "unmap" | "dontneed"; at: number; n: number }
  | { op: "protect"; at: number; n: number; prot: number }
  | { op: "write" | "read"; at: number; value: number };

const at = fc.integer({ min: 0, max: PAGES - 1 });
const n = fc.integer({ min: 1, max: 12 });
const prot = fc.constantFrom(0, 1, 3, 5, 7, 4, 2);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant("map" as const), at, n, prot, noReplace: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom("unmap" as const, "dontneed" as const), at, n }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("protect" as const), at, n, prot }) },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constantFrom("write" as const, "read" as const),
      at,
      value: fc.integer({ min: 1, max: 255 }),
    }),
  },
);

/** Starts just below a table boundary, so that most ranges cross it. */
function address(page: number): bigint {
  return BASE - 16n * STRIDE + BigInt(page) * STRIDE;
}

function clip(page: number, count: number): number {
  return Math.min(count, PAGES - page);
}

function readable(p: number): boolean {
  return (p & (Prot.Read | Prot.Write)) !== 0;
}

class Model {
  readonly pages: (Page | undefined)[] = new Array(PAGES).fill(undefined);

  range(first: number, count: number): number[] {
    return Array.from({ length: clip(first, count) }, (_, i) => first + i);
  }
}

function apply(t: TestCore, m: Model, s: Step): void {
  const { core, cpu } = t;
  const va = address(s.at);
  const bounce = core.bounce(cpu);
  const bytes = new Uint8Array(t.memory.buffer);
  if (s.op === "map") {
    const range = m.range(s.at, s.n);
    const flags = s.noReplace ? (FIXED_ANON & ~MapFlag.Fixed) | MapFlag.FixedNoReplace : FIXED_ANON;
    const got = core.sysMmap(cpu, va, BigInt(range.length) * STRIDE, s.prot, flags, 0, 0n);
    if (s.noReplace && range.some((i) => m.pages[i])) expect(got).toBe(-17n);
    else {
      expect(got).toBe(va);
      for (const i of range) m.pages[i] = { prot: s.prot, value: 0 };
    }
  } else if (s.op === "unmap") {
    const range = m.range(s.at, s.n);
    expect(core.sysMunmap(cpu, va, BigInt(range.length) * STRIDE)).toBe(0n);
    for (const i of range) m.pages[i] = undefined;
  } else if (s.op === "dontneed") {
    const range = m.range(s.at, s.n);
    const holes = range.some((i) => !m.pages[i]);
    expect(core.sysMadvise(cpu, va, BigInt(range.length) * STRIDE, 4)).toBe(holes ? -12n : 0n);
    for (const i of range) if (m.pages[i]) m.pages[i] = { prot: (m.pages[i] as Page).prot, value: 0 };
  } else if (s.op === "protect") {
    const range = m.range(s.at, s.n);
    const hole = range.findIndex((i) => !m.pages[i]);
    expect(core.sysMprotect(cpu, va, BigInt(range.length) * STRIDE, s.prot)).toBe(hole >= 0 ? -12n : 0n);
    for (const i of hole >= 0 ? range.slice(0, hole) : range) (m.pages[i] as Page).prot = s.prot;
  } else {
    const page = m.pages[s.at];
    if (s.op === "write") {
      bytes[bounce] = s.value;
      const ok = page && (page.prot & Prot.Write) !== 0;
      expect(core.guestWrite(cpu, va + 77n, bounce, 1)).toBe(ok ? 0n : -14n);
      if (ok) page.value = s.value;
    } else {
      const ok = page && readable(page.prot);
      expect(core.guestRead(cpu, bounce, va + 77n, 1)).toBe(ok ? 0n : -14n);
      if (ok) expect(bytes[bounce]).toBe(page.value);
    }
  }
  core.kernelExit(cpu);
}

/** Compares every page with the model, by the access each allows. */
function compare(t: TestCore, m: Model): void {
  const bounce = t.core.bounce(t.cpu);
  for (let i = 0; i < PAGES; i++) {
    const page = m.pages[i];
    const ok = page && readable(page.prot);
    expect(t.core.guestRead(t.cpu, bounce, address(i) + 77n, 1)).toBe(ok ? 0n : -14n);
    if (ok) expect(new Uint8Array(t.memory.buffer)[bounce]).toBe(page.value);
    const exec = page && (page.prot & Prot.Exec) !== 0;
    expect(t.core.fill(t.cpu, address(i), Access.Exec) === 0).toBe(!!exec);
  }
}

const POLICIES = [Policy.MmapLock, Policy.Optimistic, Policy.Spf, Policy.VmaLock, Policy.VmaRefcount];
const LAYOUTS = [Layout.Page, Layout.Halves, Layout.Fragments];
const SETTINGS = [
  ...POLICIES.map((policy) => [policy, Tables.Rcu, Layout.Page] as const),
  ...LAYOUTS.map((layout) => [Policy.Optimistic, Tables.Irq, layout] as const),
  ...LAYOUTS.slice(1).map((layout) => [Policy.Optimistic, Tables.Rcu, layout] as const),
];

for (const [policy, tables, layout] of SETTINGS) {
  test(`random calls agree with the model under ${Policy[policy]}, ${Tables[tables]}, ${Layout[layout]}`, () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), fc.boolean(), (steps, compareEach) => {
        const t = bootCore(16, 2, policy, tables, layout);
        const free = () => t.core.stat(Stat.FramesFree) + t.core.stat(Stat.FramesHeld);
        const before = free();
        const m = new Model();
        for (const s of steps) {
          apply(t, m, s);
          if (compareEach) compare(t, m);
          mustHold(t);
        }
        compare(t, m);
        mustHold(t);
        expect(t.core.sysMunmap(t.cpu, 0x10000n, (1n << 38n) - 0x10000n)).toBe(0n);
        expect(t.core.settle(t.cpu, 100)).toBe(0);
        mustHold(t);
        expect(t.core.stat(Stat.VmaRecords)).toBe(0);
        expect(t.core.stat(Stat.NodeRecords)).toBe(0);
        expect(free() + t.core.stat(Stat.SlabFrames)).toBe(before);
        expect(t.core.stat(Stat.FramesTable)).toBe(1);
      }),
      { numRuns: 150 },
    );
  });
}
