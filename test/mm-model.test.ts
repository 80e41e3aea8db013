/**
 * The memory calls against a one-at-a-time model: for each page its protection, its byte, whether it is locked, charged, a
 * guard page; under random sequences. A VMA of the model is a run of pages that are alike. Every
 * page's access rights and contents are compared after each step, the whole structure is checked, and at the end of
 * each run all frames and records must be back.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Access } from "../src/core/abi/exit";
import { Advice, Layout, MapFlag, MremapFlag, Policy, Prot, Tables } from "../src/core/abi/mman";
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
  locked: boolean;
  /** VM_ACCOUNT: was writable once. */
  charged: boolean;
  guard: boolean;
}

type Step =
  | { op: "map"; at: number; n: number; prot: number; noReplace: boolean }
  | { op: "unmap" | "dontneed"; at: number; n: number }
  | { op: "advise"; at: number; n: number; advice: Advice }
  | { op: "lock" | "unlock"; at: number; n: number }
  | { op: "move"; at: number; n: number; to: number; newN: number; keep: boolean }
  | { op: "resize"; at: number; n: number; newN: number; mayMove: boolean }
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
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("advise" as const),
      at,
      n,
      advice: fc.constantFrom(
        Advice.Free,
        Advice.DontNeedLocked,
        Advice.GuardInstall,
        Advice.GuardRemove,
        Advice.Cold,
        Advice.PopulateRead,
        Advice.PopulateWrite,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constantFrom("lock" as const, "lock" as const, "unlock" as const), at, n }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant("move" as const), at, n, to: at, newN: n, keep: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("resize" as const), at, n, newN: n, mayMove: fc.boolean() }),
  },
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

function alike(a: Page | undefined, b: Page | undefined): boolean {
  return !!a && !!b && a.prot === b.prot && a.locked === b.locked && a.charged === b.charged;
}

class Model {
  readonly pages: (Page | undefined)[] = new Array(PAGES).fill(undefined);

  /** The first page past the VMA of page i. */
  endOf(i: number): number {
    let end = i + 1;
    while (end < PAGES && alike(this.pages[end - 1], this.pages[end])) end++;
    return end;
  }

  /** Whether [first, first + count) is inside one VMA. */
  inOne(first: number, count: number): boolean {
    return this.endOf(first) >= first + count;
  }

  clear(first: number, count: number): void {
    this.pages.fill(undefined, first, first + count);
  }

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
      const charged = (s.prot & Prot.Write) !== 0;
      for (const i of range) m.pages[i] = { prot: s.prot, value: 0, locked: false, charged, guard: false };
    }
  } else if (s.op === "unmap") {
    const range = m.range(s.at, s.n);
    expect(core.sysMunmap(cpu, va, BigInt(range.length) * STRIDE)).toBe(0n);
    for (const i of range) m.pages[i] = undefined;
  } else if (s.op === "dontneed") {
    advise(t, m, m.range(s.at, s.n), Advice.DontNeed);
  } else if (s.op === "advise") {
    if (s.advice === Advice.PopulateRead || s.advice === Advice.PopulateWrite)
      populate(t, m, m.range(s.at, s.n), s.advice);
    else advise(t, m, m.range(s.at, s.n), s.advice);
  } else if (s.op === "lock" || s.op === "unlock") {
    const range = m.range(s.at, s.n);
    const hole = range.findIndex((i) => !m.pages[i]);
    const bytes = BigInt(range.length) * STRIDE;
    const got = s.op === "lock" ? core.sysMlock(cpu, va + 5n, bytes - 5n, 0) : core.sysMunlock(cpu, va, bytes);
    expect(got).toBe(hole >= 0 ? -12n : 0n);
    for (const i of hole >= 0 ? range.slice(0, hole) : range) (m.pages[i] as Page).locked = s.op === "lock";
  } else if (s.op === "move") {
    move(t, m, s.at, clip(s.at, s.n), s.to, clip(s.to, s.newN), s.keep);
  } else if (s.op === "resize") {
    resize(t, m, s.at, clip(s.at, s.n), clip(s.at, s.newN), s.mayMove);
  } else if (s.op === "protect") {
    const range = m.range(s.at, s.n);
    const hole = range.findIndex((i) => !m.pages[i]);
    expect(core.sysMprotect(cpu, va, BigInt(range.length) * STRIDE, s.prot)).toBe(hole >= 0 ? -12n : 0n);
    for (const i of hole >= 0 ? range.slice(0, hole) : range) {
      const page = m.pages[i] as Page;
      page.prot = s.prot;
      if ((s.prot & Prot.Write) !== 0) page.charged = true;
    }
  } else {
    const page = m.pages[s.at];
    if (s.op === "write") {
      bytes[bounce] = s.value;
      const ok = page && !page.guard && (page.prot & Prot.Write) !== 0;
      expect(core.guestWrite(cpu, va + 77n, bounce, 1)).toBe(ok ? 0n : -14n);
      if (ok) page.value = s.value;
    } else {
      const ok = page && !page.guard && readable(page.prot);
      expect(core.guestRead(cpu, bounce, va + 77n, 1)).toBe(ok ? 0n : -14n);
      if (ok) expect(bytes[bounce]).toBe(page.value);
    }
  }
  core.kernelExit(cpu);
}

/** Advice that takes pages away or marks them: page by page until the first that refuses it; a hole is told at the end. */
function advise(t: TestCore, m: Model, range: number[], advice: Advice): void {
  const needsUnlocked = advice !== Advice.DontNeedLocked && advice !== Advice.GuardRemove;
  let expected = 0n;
  for (const i of range) {
    const page = m.pages[i];
    if (!page) expected = -12n;
    else if (page.locked && needsUnlocked) {
      expected = -22n;
      break;
    } else if (advice === Advice.GuardRemove) page.guard = false;
    else if (advice !== Advice.Cold) {
      page.value = 0;
      if (advice === Advice.GuardInstall) page.guard = true;
    }
  }
  expect(t.core.sysMadvise(t.cpu, address(range[0]), BigInt(range.length) * STRIDE, advice)).toBe(expected);
}

function populate(t: TestCore, m: Model, range: number[], advice: Advice): void {
  const needed = advice === Advice.PopulateRead ? Prot.Read : Prot.Write;
  const refusal = (page: Page | undefined) =>
    !page ? -12n : (page.prot & needed) === 0 ? -22n : page.guard ? -14n : undefined;
  const first = range.map((i) => refusal(m.pages[i])).find((errno) => errno !== undefined);
  expect(t.core.sysMadvise(t.cpu, address(range[0]), BigInt(range.length) * STRIDE, advice)).toBe(first ?? 0n);
}

const { MayMove, Fixed, DontUnmap } = MremapFlag;

/** mremap to a place that is given. */
function move(t: TestCore, m: Model, from: number, n: number, to: number, newN: number, keep: boolean): void {
  const wanted = keep ? n : newN;
  const flags = keep ? MayMove | Fixed | DontUnmap : MayMove | Fixed;
  const bytes = (pages: number) => BigInt(pages) * STRIDE;
  const got = t.core.sysMremap(t.cpu, address(from), bytes(n), bytes(wanted), flags, address(to));
  const several = n === wanted;
  const whole = several || m.inOne(from, n < wanted ? n : wanted);
  const overlaps = from + n > to && to + wanted > from;
  const refused = overlaps ? -22n : !m.pages[from] || (n < wanted && !whole) ? -14n : 0n;
  if (refused !== 0n) {
    expect(got).toBe(refused);
    return;
  }
  if (!several) m.clear(to, clip(to, wanted));
  if (n > wanted) m.clear(from + wanted, n - wanted);
  expect(got).toBe(whole ? address(to) : -14n);
  if (!whole) return;
  const like = m.pages[from] as Page;
  for (let i = 0; i < wanted; i++) {
    const page = i < n ? m.pages[from + i] : { ...like, value: 0, guard: false };
    // Between mappings that move on there is no page to put in place of what is there.
    if (!page && several) continue;
    if (to + i < PAGES) m.pages[to + i] = page;
    if (i < n) m.pages[from + i] = keep && page ? { ...page, value: 0, guard: false, locked: false } : undefined;
  }
}

/** mremap in place, or to wherever the core likes: what moved there is looked at and unmapped. */
function resize(t: TestCore, m: Model, from: number, n: number, newN: number, mayMove: boolean): void {
  const { core, cpu } = t;
  const bytes = (pages: number) => BigInt(pages) * STRIDE;
  const got = core.sysMremap(cpu, address(from), bytes(n), bytes(newN), mayMove ? MayMove : 0, 0n);
  const like = m.pages[from];
  if (!like || (n < newN && !m.inOne(from, n))) {
    expect(got).toBe(-14n);
    return;
  }
  if (n >= newN) {
    expect(got).toBe(address(from));
    m.clear(from + newN, n - newN);
    return;
  }
  const free = m.endOf(from) === from + n && m.pages.slice(from + n, from + newN).every((page) => !page);
  if (free) {
    expect(got).toBe(address(from));
    for (let i = n; i < newN; i++) m.pages[from + i] = { ...like, value: 0, guard: false };
  } else if (!mayMove) expect(got).toBe(-12n);
  else {
    expect(got).toBeGreaterThan(address(PAGES));
    const bounce = core.bounce(cpu);
    for (let i = 0; i < newN; i++) {
      const page = i < n ? (m.pages[from + i] as Page) : { ...like, value: 0, guard: false };
      const ok = !page.guard && readable(page.prot);
      expect(core.guestRead(cpu, bounce, got + bytes(i) + 77n, 1)).toBe(ok ? 0n : -14n);
      if (ok) expect(new Uint8Array(t.memory.buffer)[bounce]).toBe(page.value);
    }
    expect(core.sysMunmap(cpu, got, bytes(newN))).toBe(0n);
    m.clear(from, n);
  }
}

/** Compares every page with the model, by the access each allows. */
function compare(t: TestCore, m: Model): void {
  const bounce = t.core.bounce(t.cpu);
  for (let i = 0; i < PAGES; i++) {
    const page = m.pages[i];
    const ok = page && !page.guard && readable(page.prot);
    expect(t.core.guestRead(t.cpu, bounce, address(i) + 77n, 1)).toBe(ok ? 0n : -14n);
    if (ok) expect(new Uint8Array(t.memory.buffer)[bounce]).toBe(page.value);
    const exec = page && !page.guard && (page.prot & Prot.Exec) !== 0;
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
