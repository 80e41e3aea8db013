/**
 * docs/faults.md, row by row: which kinds of fault each policy serves without mmapLock, and for what reason it does not.
 *
 * One fault of each kind is made on a core without harts; a second CPU is in the space, idle, as another thread would be.
 */
import { expect, test } from "vitest";
import { Counter } from "../src/core/abi/counter";
import { Access, Exit } from "../src/core/abi/exit";
import { MapFlag, Policy, Prot } from "../src/core/abi/mman";
import { bootCore, mustHold, type TestCore } from "./support/core";

const PAGE = 4096n;
const AT = 0x4000_0000n;
const OTHER = AT + 64n * PAGE;
const NEXT_TABLE = AT + 512n * PAGE;
const RW = Prot.Read | Prot.Write;
const { Private, Shared, Anonymous, Fixed, GrowsDown } = MapFlag;
const GUARD_INSTALL = 102;
const { Read, Write } = Access;

interface Fault {
  readonly at: bigint;
  readonly access: Access;
}
type Expected = readonly [optimistic: string, spf: string, vmaLock: string];

const FREE = "no lock";
const LOCKED = "mmapLock";

/** What bench and check call, too. */
interface Faulting {
  fault(cpu: number, at: bigint, access: Access): number;
}

const faultOn = ({ core, cpu }: TestCore, { at, access }: Fault): number =>
  (core as unknown as Faulting).fault(cpu, at, access);

/** Mappings and faults that come before the one looked at. */
class Before {
  constructor(readonly t: TestCore) {}
  map(at: bigint, pages: number, flags = Private | Anonymous, prot = RW, object = 0): this {
    const { core, cpu } = this.t;
    expect(core.sysMmap(cpu, at, BigInt(pages) * PAGE, prot, flags | Fixed, object, 0n)).toBe(at);
    return this;
  }
  /** One the host knows, of `pages`, the first `onHost` of which it must be asked for. */
  file(id: number, pages: number, onHost = 0): this {
    this.t.core.hostOpen(this.t.cpu, id, BigInt(pages) * PAGE, BigInt(onHost) * PAGE);
    return this;
  }
  touch(at: bigint, access: Access): this {
    expect(faultOn(this.t, { at, access })).toBe(Exit.None);
    return this;
  }
  /** Private anonymous memory whose table and anon_vma are there. */
  anonymous(): this {
    return this.map(AT, 8).touch(AT, Write);
  }
  /** The fault that is looked at. */
  fault(at: bigint, access: Access): Fault {
    return { at, access };
  }
  /** A file whose pages 0 to 3 are cached, mapped at AT where nothing was touched but its table is there. */
  cached(flags: MapFlag): this {
    this.file(5, 8).map(OTHER, 8, Shared, RW, 5);
    for (let i = 0n; i < 4n; i++) this.touch(OTHER + i * PAGE, Write);
    return this.map(AT, 8, flags, RW, 5);
  }
}

const KINDS: Readonly<Record<string, readonly [make: (before: Before) => Fault, Expected]>> = {
  "anonymous read": [(b) => b.anonymous().fault(AT + PAGE, Read), [FREE, FREE, FREE]],
  "anonymous write": [(b) => b.anonymous().fault(AT + PAGE, Write), [FREE, FREE, FREE]],
  "first on its table": [
    (b) => b.map(AT, 520).touch(AT, Write).fault(NEXT_TABLE, Write),
    [FREE, "mmapLock: SpfAbortPmd", FREE],
  ],
  "first write of a mapping": [
    (b) => b.anonymous().map(OTHER, 4).fault(OTHER, Write),
    [FREE, "mmapLock: SpfAbortAnonVma", LOCKED],
  ],
  "write to the zero page": [
    (b) =>
      b
        .anonymous()
        .touch(AT + PAGE, Read)
        .fault(AT + PAGE, Write),
    [FREE, FREE, FREE],
  ],
  "copy on write, shared": [
    (b) => {
      b.anonymous();
      expect(b.t.core.forkSpace(b.t.cpu)).toBeGreaterThan(0n);
      return b.fault(AT, Write);
    },
    [FREE, FREE, FREE],
  ],
  "copy on write, sole owner": [
    (b) => {
      b.anonymous();
      b.t.core.putSpace(b.t.cpu, Number(b.t.core.forkSpace(b.t.cpu)));
      return b.fault(AT, Write);
    },
    [FREE, FREE, FREE],
  ],
  "file read, private": [(b) => b.cached(Private).fault(AT + PAGE, Read), [FREE, FREE, FREE]],
  "file read, shared": [(b) => b.cached(Shared).fault(AT + PAGE, Read), [FREE, FREE, FREE]],
  "file write, private, the first": [
    (b) => b.cached(Private).fault(AT + PAGE, Write),
    [FREE, "mmapLock: SpfAbortAnonVma", FREE],
  ],
  "file write, private": [
    (b) =>
      b
        .cached(Private)
        .touch(AT, Write)
        .fault(AT + PAGE, Write),
    [FREE, FREE, FREE],
  ],
  "file write, shared": [
    (b) => b.cached(Shared).fault(AT + PAGE, Write),
    [FREE, "mmapLock: SpfAbortNoSpeculate", FREE],
  ],
  "write-notify": [
    (b) =>
      b
        .cached(Shared)
        .touch(AT + PAGE, Read)
        .fault(AT + PAGE, Write),
    [FREE, "mmapLock: SpfAbortNoSpeculate", FREE],
  ],
  "shared anonymous read": [
    (b) =>
      b
        .anonymous()
        .map(OTHER, 4, Shared | Anonymous)
        .fault(OTHER, Read),
    [FREE, "mmapLock: SpfAbortNoSpeculate", FREE],
  ],
  "shared anonymous write": [
    (b) =>
      b
        .anonymous()
        .map(OTHER, 4, Shared | Anonymous)
        .fault(OTHER, Write),
    [FREE, "mmapLock: SpfAbortNoSpeculate", FREE],
  ],
  "file page on the host": [
    (b) => b.anonymous().file(6, 8, 8).map(OTHER, 8, Private, RW, 6).fault(OTHER, Read),
    [FREE, LOCKED, FREE],
  ],
  "past the end": [
    (b) =>
      b
        .anonymous()
        .file(6, 1)
        .map(OTHER, 4, Shared, RW, 6)
        .fault(OTHER + PAGE, Read),
    [LOCKED, LOCKED, LOCKED],
  ],
  guard: [
    (b) => {
      b.anonymous();
      expect(b.t.core.sysMadvise(b.t.cpu, AT + PAGE, PAGE, GUARD_INSTALL)).toBe(0n);
      return b.fault(AT + PAGE, Read);
    },
    [FREE, "mmapLock: SpfAbortNoSpeculate", FREE],
  ],
  "rights after mprotect": [
    (b) => {
      b.anonymous();
      for (const prot of [Prot.Read, RW]) expect(b.t.core.sysMprotect(b.t.cpu, AT, 8n * PAGE, prot)).toBe(0n);
      return b.fault(AT, Write);
    },
    [FREE, FREE, FREE],
  ],
  spurious: [(b) => b.anonymous().fault(AT, Write), [FREE, FREE, FREE]],
  "stack growth": [
    (b) => {
      b.map(OTHER, 4, Private | Anonymous | GrowsDown).touch(OTHER, Write);
      return b.fault(OTHER - PAGE, Write);
    },
    [LOCKED, "mmapLock: SpfAbortUnmapped", LOCKED],
  ],
  "nothing mapped": [(b) => b.anonymous().fault(OTHER, Read), [LOCKED, "mmapLock: SpfAbortUnmapped", LOCKED]],
  forbidden: [
    (b) =>
      b
        .anonymous()
        .map(OTHER, 4, Private | Anonymous, Prot.Read)
        .fault(OTHER, Write),
    [LOCKED, "mmapLock: SpfAbortAccessError", LOCKED],
  ],
};

const REASONS = Object.keys(Counter).filter((name) => name.startsWith("SpfAbort") && name !== "SpfAbort");

function countOf(t: TestCore, which: Counter): number {
  return Number(t.core.counter(t.cpu, which));
}

/** How the fault was served: without mmapLock, or under it and why. */
function outcome(t: TestCore, fault: Fault): string {
  const watched = [Counter.FaultsLocked, ...REASONS.map((name) => Counter[name as keyof typeof Counter])];
  const before = watched.map((which) => countOf(t, which));
  faultOn(t, fault);
  const [locked, ...reasons] = watched.map((which, i) => countOf(t, which) - before[i]!);
  const why = REASONS.filter((_, i) => reasons[i]! > 0);
  return locked === 0 ? [FREE, ...why].join(": ") : [LOCKED, ...why].join(": ");
}

const POLICIES = [Policy.Optimistic, Policy.Spf, Policy.VmaLock, Policy.VmaRefcount, Policy.MmapLock];

test.for(Object.entries(KINDS))("%s", ([, [make, [optimistic, spf, vmaLock]]]) => {
  const seen = POLICIES.map((policy) => {
    const t = bootCore(16, 2, policy);
    const second = t.core.cpuArea(1);
    t.core.cpuOnline(second);
    t.core.idleEnter(second);
    const how = outcome(t, make(new Before(t)));
    mustHold(t);
    return [Policy[policy], how];
  });
  expect(Object.fromEntries(seen)).toEqual({
    Optimistic: optimistic,
    Spf: spf,
    VmaLock: vmaLock,
    VmaRefcount: vmaLock,
    MmapLock: LOCKED,
  });
});

test("spf does not try in a space with one thread", () => {
  const t = bootCore(16, 2, Policy.Spf);
  new Before(t).anonymous();
  expect(outcome(t, { at: AT + PAGE, access: Write })).toBe(LOCKED);
  expect(countOf(t, Counter.SpfAttempt)).toBe(0);
});
