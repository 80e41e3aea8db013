/** `faultline run --trace`: what each CPU did, as a file that a trace viewer opens. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { traceText } from "../src/cli/traceFile.js";
import { Counter } from "../src/core/abi/counter.js";
import { Access } from "../src/core/abi/exit.js";
import { Layout, MapFlag, Policy, Pretouch, Prot, Tables } from "../src/core/abi/mman.js";
import { TraceKind } from "../src/core/abi/trace.js";
import { HookedCore } from "../src/predict/core.js";
import type { Core } from "../src/run/core.js";
import { readTrace, TRACE_RECORDS, type TraceRecord } from "../src/run/trace.js";
import { build } from "./support/predict.js";
import { slowTest } from "./support/slow.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "faultline-trace-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Event {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  cat?: string;
  args?: Record<string, string | number>;
}

function run(...args: string[]) {
  const command = [join(ROOT, "tools/launch.mjs"), "run", ...args];
  return spawnSync(process.execPath, command, { encoding: "utf8", timeout: 360_000, env: { PATH: process.env.PATH } });
}

function events(text: string): Event[] {
  return JSON.parse(text).traceEvents;
}

describe("a storm beside changes of the map", () => {
  let all: Event[];
  let stats: { faults: { total: number; locked: number }; tlb: { shootdowns: number; ipis: number } };
  beforeAll(() => {
    const [trace, json] = ["storm.json", "stats.json"].map((name) => join(folder, name));
    const storm = ["--", join(ROOT, "guest/bin/storm"), "-t", "2", "-n", "2", "-p", "256"];
    expect(run("--fault", "spf", "--trace", trace, "--stats-json", json, ...storm).status).toBe(0);
    all = events(readFileSync(trace, "utf8"));
    stats = JSON.parse(readFileSync(json, "utf8"));
  }, 360_000);

  const slices = (cat: string) => all.filter((event) => event.ph === "X" && event.cat === cat);
  const sum = (some: readonly Event[], what: string) => some.reduce((n, { args }) => n + Number(args![what]), 0);

  test("has every fault, and those under mmapLock", () => {
    expect(slices("fault").length).toBe(stats.faults.total);
    expect(sum(slices("fault"), "mmap_lock")).toBe(stats.faults.locked);
  });

  test("has every shootdown and its interrupts", () => {
    expect(slices("tlb").length).toBe(stats.tlb.shootdowns);
    expect(sum(slices("tlb"), "ipis")).toBe(stats.tlb.ipis);
  });

  test("says why a speculation was given up: the first touch of each table", () => {
    const reasons = new Set(slices("fault").map(({ args }) => args!.reason));
    expect(reasons).toContain("spf_abort_pmd");
    expect(reasons).toContain("none");
  });

  test("names memory calls, with what they were asked for and what they answered", () => {
    const unmapped = slices("call").filter(({ name, args }) => name === "munmap" && args!.length === 256 * 4096);
    expect(unmapped.length).toBe(4);
    expect(unmapped.map(({ args }) => args!.result)).toEqual(["0x0", "0x0", "0x0", "0x0"]);
  });

  test("says of a call all that it takes to make it again, and whose events a track's are", () => {
    const gap = slices("call").filter(({ name, args }) => name === "mmap" && args!.length === 16 * 4096);
    expect(gap.length).toBeGreaterThan(0);
    expect(gap[0].args).toMatchObject({ prot: 3, object: 0, offset: "0x0" });
    const prots = new Set(
      slices("call")
        .filter(({ name }) => name === "mprotect")
        .map(({ args }) => args!.prot),
    );
    expect(prots).toEqual(new Set([1, 3]));
    const threads = all.filter(({ cat }) => cat === "thread").map(({ args }) => args!);
    expect(threads.filter(({ loaded }) => loaded === 1)).toHaveLength(1);
    const started = slices("call")
      .filter(({ name }) => name === "clone")
      .map(({ args }) => Number(args!.result));
    const tids = threads.map(({ tid }) => tid);
    expect(started.filter((tid) => !tids.includes(tid))).toEqual([]);
    expect(started).toHaveLength(3);
  });

  test("keeps the format's rules: whole nanoseconds, names for tracks, slices of one track in order and nested", () => {
    const named = new Set(all.filter(({ name }) => name === "thread_name").map(({ tid }) => tid));
    expect(all.filter(({ name }) => name === "process_name")).toHaveLength(1);
    const tracks = new Map<number, Event[]>();
    for (const event of all.filter(({ ph }) => ph === "X")) {
      tracks.set(event.tid, [...(tracks.get(event.tid) ?? []), event]);
    }
    expect([...tracks.keys()].filter((tid) => !named.has(tid))).toEqual([]);
    for (const track of tracks.values()) {
      const open: number[] = [];
      let last = 0;
      for (const { ts, dur } of track) {
        const [begin, end] = [ts * 1000, (ts + dur!) * 1000].map(Math.round) as [number, number];
        expect(Math.abs(ts * 1000 - begin)).toBeLessThan(1e-3);
        expect(begin).toBeGreaterThanOrEqual(last);
        last = begin;
        while (open.length > 0 && open.at(-1)! <= begin) open.pop();
        expect(end).toBeLessThanOrEqual(open.at(-1) ?? end);
        open.push(end);
      }
    }
  });
});

test("an abort of spf that came later in the list is a reason as well: the count moved while the page was looked up", () => {
  const { layout, hooked, core: plain } = build;
  const CORE_BYTES = 8 << 20;
  const core = new HookedCore({ hooked, core: plain, sites: [], layout }, CORE_BYTES + (1 << 20), 1);
  const words = core.plain as unknown as Core;
  words.boot(CORE_BYTES, 2, Policy.Spf, Tables.Rcu, Layout.Page, Pretouch.None);
  const cpu = words.cpuArea(0);
  words.traceOn(cpu, CORE_BYTES, TRACE_RECORDS);
  for (const i of [0, 1]) words.cpuOnline(words.cpuArea(i));
  words.hostOpen(cpu, 1, 0x4000n, 0n);
  words.sysMmap(cpu, 0x1000_0000n, 0x4000n, Prot.Read, MapFlag.Private | MapFlag.Fixed, 1, 0n);
  core.plain.fill(cpu, 0x1000_0000n, Access.Read);

  const { S_SEQ } = layout["mm/space.ts"];
  const seq = words.spaceOf(cpu) + S_SEQ;
  let looks = 0;
  core.seam = {
    ...{ marked() {}, paused: () => false, waiting() {}, woken: () => 0, now: () => 0 },
    // The third look is the one beside the page's: the first begins the attempt, the second is behind the VMA's copy.
    reached: (_kind, address) => {
      if (address === seq && ++looks === 3) core.words[seq >>> 2] += 2;
      return false;
    },
  };
  core.call(0, () => core.core.fill(cpu, 0x1000_3000n, Access.Read), false);
  const [{ records }] = readTrace(words, 1, CORE_BYTES, core.memory);
  const why = records.filter(({ kind }) => kind === TraceKind.Fault).map(({ why }) => Counter[why]);
  expect(why).toEqual(["SpfAbortPud", "SpfAbortFault"]);
});

test("a file that can not be written is known before the program runs", () => {
  const { status, stdout, stderr } = run("--trace", join(folder, "none/trace.json"), join(ROOT, "guest/bin/hello"));
  expect([status, stdout]).toEqual([125, ""]);
  expect(stderr).toMatch(/^faultline: --trace .*ENOENT.*\n$/);
});

describe("the file", () => {
  const record = (changes: Partial<TraceRecord>): TraceRecord => ({
    ...{ kind: TraceKind.Fault, beginNs: 1000, ns: 500, exit: 0, how: Counter.FaultsAnon, why: 0 },
    ...{ address: 0x1000n, length: 1n, extra: 0n, more: 0n, last: 0n, flags: 0, object: 0, ...changes },
  });
  const setting = { program: "p", fault: "spf", tables: "rcu", layout: "page" };

  slowTest("slow: may have more records than a call can have arguments", () => {
    const records = Array.from({ length: 150_000 }, (_, i) => record({ beginNs: 100 * i, ns: 50 }));
    expect(events(traceText([{ cpu: 0, records, lost: 0 }], setting)).length).toBeGreaterThan(150_000);
  });

  test("tells how many older records are lost", () => {
    const [, name] = events(traceText([{ cpu: 3, records: [record({})], lost: 7 }], setting));
    expect(name).toMatchObject({ name: "thread_name", tid: 3, args: { name: "cpu 3 (7 older records lost)" } });
  });

  test("puts what contains before what it contains, though it ended later", () => {
    const inner = record({ kind: TraceKind.Shootdown, beginNs: 1000, ns: 100 });
    const outer = record({ kind: TraceKind.Call, how: 215, beginNs: 1000, ns: 900 });
    const all = events(traceText([{ cpu: 0, records: [inner, outer], lost: 0 }], setting));
    expect(all.filter(({ ph }) => ph === "X").map(({ name }) => name)).toEqual(["munmap", "shootdown"]);
  });

  test("counts faults and interrupts a millisecond, and ends each bar", () => {
    const records = [
      record({}),
      record({ extra: 1n }),
      record({ kind: TraceKind.Shootdown, beginNs: 2.5e6, extra: 3n }),
    ];
    const bars = events(traceText([{ cpu: 0, records, lost: 0 }], setting)).filter(({ ph }) => ph === "C");
    const faults = bars.filter(({ name }) => name === "faults / ms").map(({ ts, args }) => [ts, args]);
    expect(faults).toEqual([
      [0, { unlocked: 1, locked: 1 }],
      [1000, { unlocked: 0, locked: 0 }],
      [2000, { unlocked: 0, locked: 0 }],
      [3000, { unlocked: 0, locked: 0 }],
    ]);
  });
});
