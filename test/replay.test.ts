/** `faultline predict --replay`: a recorded program again, on simulated CPUs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadMachine } from "../src/cli/predict/machines.js";
import { ModelError } from "../src/predict/machine.js";
import { Compact } from "../src/predict/replay/compact.js";
import { type Op, type Plan, planOf } from "../src/predict/replay/plan.js";
import { Ranges } from "../src/predict/replay/ranges.js";
import { parseRecording } from "../src/predict/replay/recording.js";
import { mayReplay, replayOf } from "../src/predict/replay/workload.js";
import { type Outcome, simulate } from "../src/predict/run.js";
import { ended, ROOT, start } from "./support/command.js";
import { build } from "./support/predict.js";

const folder = mkdtempSync(join(tmpdir(), "faultline-replay-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const skylake = loadMachine(fileURLToPath(new URL("../", import.meta.url)), "skylake-112");
const PAGE = 4096;
const AT = 0x3f_0000_0000;
const [PRIVATE, SHARED, ANON] = [2, 1, 0x20];

interface Changes {
  cpus?: number;
  policy?: string;
  seed?: number;
  compute?: number;
}

function replay(
  plan: Plan,
  { cpus = plan.streams.length, policy = "optimistic", seed = 1, compute = 1 }: Changes = {},
) {
  const workload = replayOf(plan, compute);
  const setting = { machine: skylake, workload, cpus, policy, tables: "rcu", layout: "page" as const, seed };
  return simulate(build, { ...setting, operations: 1 }, 500);
}

interface Given {
  cpu?: number;
  /** Microseconds. */
  ts: number;
  dur?: number;
  name: string;
  args: Record<string, string | number>;
}

const hex = (n: number) => `0x${n.toString(16)}`;

function fault(ts: number, address: number, more: Record<string, string | number> = {}, cpu = 0, how = "write"): Given {
  const args = { address: hex(address), outcome: "done", served: "anon", reason: "none", mmap_lock: 0, ...more };
  return { cpu, ts, name: `fault ${how}`, args };
}

function call(
  ts: number,
  name: string,
  address: number,
  length: number,
  more: Record<string, string | number> = {},
  cpu = 0,
): Given {
  return { cpu, ts, name, args: { address: hex(address), length, result: "0x0", ...more } };
}

const map = (ts: number, at: number, pages: number, more: Record<string, string | number> = {}, cpu = 0): Given =>
  call(
    ts,
    "mmap",
    0,
    pages * PAGE,
    { prot: 3, flags: PRIVATE | ANON, object: 0, offset: "0x0", result: hex(at), ...more },
    cpu,
  );

const thread = (ts: number, pid: number, tid: number, loaded = 0, cpu = 0): Given => ({
  ...{ cpu, ts, name: `thread ${tid} of process ${pid}`, args: { pid, tid, loaded } },
});

function traceOf(events: readonly Given[], more: readonly object[] = []): string {
  const traceEvents = events.map(({ cpu = 0, dur = 0.5, ...event }) => {
    const cat = event.name.startsWith("fault") ? "fault" : event.name.startsWith("thread") ? "thread" : "call";
    return { ...event, cat, ph: cat === "thread" ? "i" : "X", pid: 1, tid: cpu, dur };
  });
  const otherData = { program: "/bin/p", fault: "optimistic", tables: "rcu", layout: "page" };
  return JSON.stringify({ otherData, traceEvents: [...traceEvents, ...more] });
}

const plan = (...events: Given[]): Plan => planOf(parseRecording(traceOf(events), "t"));
const ops = ({ streams }: Plan, cpu = 0): Op[] => streams[cpu].map(({ op }) => op);
const went = ({ faulted, differed }: Outcome) => ({ faulted, differed });

describe("a real program's recording", { timeout: 120_000 }, () => {
  let json: string;
  let storm: Plan;
  beforeAll(async () => {
    const file = join(folder, "storm.json");
    const args = ["--trace", file, "--", join(ROOT, "guest/bin/storm"), "-t", "2", "-n", "2", "-p", "128"];
    expect((await ended(start(folder, "run", ...args))).status).toBe(0);
    json = readFileSync(file, "utf8");
    storm = planOf(parseRecording(json, "storm.json"));
  }, 120_000);

  test("has each of its faults again, but for those that only asked for a page of a file", () => {
    const faults = JSON.parse(json).traceEvents.filter(({ cat }: { cat?: string }) => cat === "fault");
    const reads = faults.filter(({ args }: Given) => args.outcome === "page wanted");
    expect(storm.faults).toBe(faults.length - reads.length);
    expect(storm.faults).toBeGreaterThan(2 * 2 * 128);
    expect(storm.streams.length).toBe(4);
  });

  test.each([
    "mmap-lock",
    "spf",
    "vma-lock",
    "vma-refcount",
    "optimistic",
  ])("takes every one of them under %s, alone and beside another group, and each call ends as recorded", (policy) => {
    expect(went(replay(storm, { policy, compute: 0.01 }))).toEqual({ faulted: storm.faults, differed: 0 });
    const two = replay(storm, { policy, compute: 0.01, cpus: 8 });
    expect(went(two)).toEqual({ faulted: 2 * storm.faults, differed: 0 });
  });

  test("is a function of its inputs and its seed", () => {
    const once = replay(storm, { compute: 0, policy: "mmap-lock" });
    expect(replay(storm, { compute: 0, policy: "mmap-lock" })).toEqual(once);
    expect(replay(storm, { compute: 0, policy: "mmap-lock", seed: 2 })).not.toEqual(once);
  });

  test("takes as long as the program computes, and less the less of that counts", () => {
    const elapsed = (compute: number) => replay(storm, { compute }).elapsedNs;
    const longest = Math.max(...storm.streams.map((steps) => steps.reduce((sum, { gapNs }) => sum + gapNs, 0)));
    expect(elapsed(1)).toBeGreaterThan(longest);
    expect(elapsed(0)).toBeLessThan(elapsed(0.5));
    expect(replay(storm).spent.program).toBeGreaterThan(replay(storm, { compute: 0.1 }).spent.program);
  });
});

describe("order", { timeout: 60_000 }, () => {
  //   cpu 0   ... computes ...  map A+4 ......................... unmap A+4
  //   cpu 1                               fault A, fault A+1
  const events = [
    thread(0, 1, 1),
    thread(1, 1, 2, 0, 1),
    map(500, AT, 4),
    fault(502, AT, {}, 1),
    fault(503, AT + PAGE, {}, 1),
    call(600, "munmap", AT, 4 * PAGE),
  ];

  test("a fault waits for the call that mapped its page, an unmapping for the faults before it", () => {
    const both = plan(...events);
    expect(both.streams[1].map(({ waits }) => waits)).toEqual([[], [0, 1], []]);
    expect(both.streams[0].map(({ waits }) => waits)).toEqual([[], [], [1, 2]]);
    for (const compute of [0, 1]) expect(replay(both, { compute }).differed).toBe(0);
  });

  test("without the waits the accesses come too early: it is they that keep the order", () => {
    const both = plan(...events);
    const rash = { ...both, streams: both.streams.map((steps) => steps.map((step) => ({ ...step, waits: [] }))) };
    expect(replay(rash, { compute: 0 }).differed).toBeGreaterThan(0);
  });

  test("a call and what began inside it never wait in a circle with another CPU's event between their ends", () => {
    const inside = plan(
      thread(0, 1, 1),
      thread(1, 1, 2, 0, 1),
      { ...call(100, "mprotect", AT, 4 * PAGE, { prot: 3 }), dur: 90 },
      fault(110, AT),
      { ...call(120, "mprotect", AT, 4 * PAGE, { prot: 3 }, 1), dur: 10 },
    );
    expect(inside.streams[1].map(({ waits }) => waits)).toEqual([[], []]);
    expect(inside.streams[0].map(({ waits }) => waits)).toEqual([[], [1, 1], []]);
    expect(replay(inside).differed).toBe(0);
  });

  test("a thread begins with the clone that started it, whenever its worker did", () => {
    const started = plan(
      thread(0, 1, 1),
      { ...call(100, "clone", 0, 0, { result: hex(2) }), dur: 9000 },
      thread(8000, 1, 2, 0, 1),
      fault(8001, AT, {}, 1),
      fault(9200, AT + PAGE),
    );
    expect(started.streams[1][0]).toMatchObject({ gapNs: 0, waits: [0, 1] });
    expect(replay(started).elapsedNs).toBeLessThan(0.4e6);
  });
});

describe("what was mapped before", { timeout: 60_000 }, () => {
  test("is what no call had mapped: near pages of one kind are one mapping, as they were served", () => {
    const { before, files } = plan(
      fault(1, 0x10000, { served: "file" }, 0, "exec"),
      fault(2, 0x11000, { served: "file" }, 0, "exec"),
      fault(3, 0x15000, { served: "cow" }),
      fault(4, AT),
      fault(5, AT + 3 * PAGE, {}, 0, "read"),
      fault(6, AT + 4 * PAGE),
      map(7, AT + 0x1000_0000, 1),
      fault(8, AT + 0x1000_0000),
    );
    expect(before.map(({ bytes, prot, flags }) => [bytes / PAGE, prot, flags])).toEqual([
      [2, 5, PRIVATE],
      [1, 3, PRIVATE],
      [1, 3, PRIVATE | ANON],
      [1, 1, PRIVATE | ANON],
      [1, 3, PRIVATE | ANON],
    ]);
    expect(files).toEqual([2 * PAGE, PAGE]);
  });

  test("is there for calls that change it, and not for what they unmapped", () => {
    const all = plan(
      call(1, "mprotect", AT, 4 * PAGE, { prot: 1 }),
      fault(2, AT + PAGE, {}, 0, "read"),
      call(3, "munmap", AT, 4 * PAGE),
      fault(4, AT, { outcome: "refused", served: "none" }),
    );
    expect(all.before.map(({ bytes }) => bytes / PAGE)).toEqual([4]);
    expect(went(replay(all))).toEqual({ faulted: 2, differed: 0 });
  });
});

describe("calls", { timeout: 60_000 }, () => {
  test("brk is the map or the unmap that it makes; the first says where the heap is", () => {
    const heap = plan(
      call(1, "brk", 0, 0, { result: hex(AT) }),
      call(2, "brk", AT + 8 * PAGE, 0, { result: hex(AT + 8 * PAGE) }),
      fault(3, AT + PAGE),
      call(4, "brk", AT + 2 * PAGE, 0, { result: hex(AT + 2 * PAGE) }),
      fault(5, AT + 2 * PAGE, { outcome: "refused", served: "none" }),
    );
    expect(ops(heap).map((op) => op.do)).toEqual(["brk", "map", "touch", "unmap", "touch"]);
    expect(went(replay(heap, { cpus: 3 }))).toEqual({ faulted: 6, differed: 0 });
  });

  test("mremap takes its pages along, to where they were recorded", () => {
    const far = AT + 0x4000_0000;
    const moved = plan(
      map(1, AT, 600),
      fault(2, AT + 599 * PAGE),
      call(3, "mremap", AT, 600 * PAGE, { new_length: 900 * PAGE, flags: 1, new_address: "0x0", result: hex(far) }),
      fault(4, far + 899 * PAGE),
      call(5, "munmap", far, 900 * PAGE),
    );
    expect(ops(moved)[2]).toMatchObject({ do: "move", bytes: 600 * PAGE, newBytes: 900 * PAGE });
    expect(ops(moved)[4]).toMatchObject({ do: "unmap", pages: 2 });
    // The page that moved is there: reading it again would be no fault.
    expect(went(replay(moved, { cpus: 2 }))).toEqual({ faulted: 4, differed: 0 });
  });

  test("a file is one object for all of its mappings: what one made dirty the other finds", () => {
    const file = (flags: number) => ({ flags, object: 7 });
    const shared = plan(
      map(1, AT, 2, file(SHARED)),
      fault(2, AT, { served: "file" }),
      map(3, AT + 0x4000_0000, 2, file(PRIVATE)),
      fault(4, AT + 0x4000_0000, { served: "cow" }),
    );
    expect(shared.files).toEqual([2 * PAGE]);
    expect(ops(shared).map((op) => op.do === "map" && op.object)).toEqual([1, false, 1, false]);
    expect(went(replay(shared, { cpus: 2, policy: "spf" }))).toEqual({ faulted: 4, differed: 0 });
  });

  test("a call that brings pages in does so again: nothing faults on them, and all are there to be unmapped", () => {
    const some = plan(
      map(1, AT, 8, { flags: PRIVATE | ANON | 0x8000 }),
      fault(2, AT + 7 * PAGE, { served: "spurious" }),
      map(10, AT + 0x100_0000, 4),
      call(20, "mlock", AT + 0x100_0800, 2 * PAGE),
      fault(30, AT + 0x100_3000),
      call(40, "madvise", AT, 8 * PAGE, { advice: 4 }),
      call(50, "munmap", AT + 0x100_0000, 4 * PAGE),
    );
    expect(ops(some)[3]).toMatchObject({ do: "lock", bytes: 3 * PAGE });
    expect(ops(some).map((op) => "pages" in op && op.pages)).toEqual([false, false, false, false, false, 8, 4]);
    expect(went(replay(some))).toEqual({ faulted: 1, differed: 0 });
  });

  test("a call that failed, or changes nothing, is left out, and its time is the program's", () => {
    const some = plan(
      map(1, AT, 2),
      map(20, AT, 2, { result: "-12" }),
      call(30, "msync", AT, PAGE),
      call(40, "mlock", AT, 2 ** 64),
      fault(50, AT),
    );
    expect(ops(some).map((op) => op.do)).toEqual(["map", "touch"]);
    expect(some.streams[0][1].gapNs).toBe(48_500);
    expect(some.left).toMatchObject({ failed: 1, idle: 2 });
  });

  test("what ends otherwise than recorded is counted", () => {
    const wrong = plan(fault(1, AT), fault(2, AT + PAGE, { outcome: "refused", served: "none" }), map(3, AT + PAGE, 1));
    expect(replay(wrong).differed).toBe(0);
    const served = { ...wrong, before: [] };
    expect(replay(served).differed).toBe(1);
  });
});

describe("whose events", () => {
  test("one process is replayed, as of the program it loaded last; the others are said to be left out", () => {
    const { left, faults } = plan(
      thread(0, 1, 1, 1),
      fault(1, AT),
      thread(2, 1, 1, 1),
      fault(3, AT),
      fault(4, AT + PAGE),
      thread(5, 9, 9, 0, 1),
      fault(6, AT, {}, 1),
    );
    expect([faults, left.others]).toEqual([2, 2]);
  });

  test("where the ring lost whose they are, they are the only process's", () => {
    const lost = { ph: "M", name: "thread_name", tid: 0, args: { name: "cpu 0 (7 older records lost)", lost: 7 } };
    const json = traceOf([fault(1, AT), thread(2, 1, 2, 0, 1), fault(3, AT, {}, 1)], [lost]);
    const { left, faults } = planOf(parseRecording(json, "t"));
    expect([faults, left.others, left.lost]).toEqual([2, 0, 7]);
  });
});

describe("more CPUs", { timeout: 60_000 }, () => {
  test("are whole groups, as far as the machine and the addresses go", () => {
    const three = plan(thread(0, 1, 1), thread(0, 1, 2, 0, 1), thread(0, 1, 3, 0, 2), fault(1, AT));
    expect(mayReplay(three, 112).at(-1)).toBe(111);
    expect(() => replay(three, { cpus: 4 })).toThrow(ModelError);
    const wide = plan(map(0, 0x10_0000_0000, 20 << 18, { flags: SHARED, object: 1 }));
    expect(mayReplay(wide, 112).at(-1)).toBe(12);
  });

  test("addresses are moved together where nothing is, and nowhere else", () => {
    const SLOT = 2 << 20;
    const compact = new Compact();
    compact.keep(100 * SLOT + 5 * PAGE);
    compact.keepRange(104 * SLOT, 9000 * SLOT, false);
    compact.keepRange(10_000 * SLOT, 10_003 * SLOT, true);
    expect(compact.settle()).toBe(10 * SLOT);
    const at = [
      100 * SLOT + 5 * PAGE,
      104 * SLOT,
      8999 * SLOT,
      9000 * SLOT,
      10_000 * SLOT,
      10_002 * SLOT,
      10_003 * SLOT,
    ];
    const places = at.map((address) => compact.at(address) / SLOT);
    expect(places).toEqual([5 / 512, 2, 4, 5, 6, 8, 9]);
  });

  test("ranges: a new one takes the place of what it covers", () => {
    const ranges = new Ranges<string>();
    ranges.set(10, 40, "a");
    ranges.set(20, 30, "b");
    ranges.set(50, 60, "c");
    ranges.set(35, 55, "d");
    expect(ranges.over(0, 100).map(({ start, end, value }) => `${start}-${end}${value}`)).toEqual([
      ...["10-20a", "20-30b", "30-35a", "35-55d", "55-60c"],
    ]);
    expect([ranges.at(29), ranges.at(30), ranges.at(60), ranges.at(9)]).toEqual(["b", "a", undefined, undefined]);
    expect(ranges.gaps(0, 70)).toEqual([
      [0, 10],
      [60, 70],
    ]);
  });
});

describe("the command", { timeout: 60_000 }, () => {
  const predict = (...args: string[]) => ended(start(folder, "predict", ...args));
  const good = traceOf([
    thread(0, 1, 1),
    thread(0, 1, 2, 0, 1),
    map(1, AT, 4),
    fault(2, AT),
    fault(3, AT, {}, 1, "read"),
  ]);
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

  test("prints elapsed time, and what it could not replay, under each policy", async () => {
    write(
      "good.json",
      good.replace('"traceEvents":[', '"traceEvents":[{"ph":"M","name":"thread_name","tid":0,"args":{"lost":3}},'),
    );
    const { status, out } = await predict(
      "--replay",
      "good.json",
      "--cpus",
      "2,4",
      "--seeds",
      "1",
      "--json",
      "out.json",
    );
    expect(status).toBe(0);
    expect(out).toContain("p: 2 CPUs, 2 faults, 1 calls in 3500 ns");
    expect(out).toContain("warning: 3 older records were lost");
    const { points, recording } = JSON.parse(readFileSync(join(folder, "out.json"), "utf8"));
    expect(points.map(({ policy, cpus }: { policy: string; cpus: number }) => `${policy} ${cpus}`)).toContain("spf 4");
    expect(points[0].elapsedNs).toBeGreaterThan(0);
    expect(recording).toMatchObject({ faults: 2, calls: 1, streams: 2, compute: 1 });
  });

  test.each([
    ["a file that is not there", "", [], "--replay t.json: ENOENT"],
    ["a file cut short", good.slice(0, 300), [], "in JSON at position 300"],
    ["another tool's trace", '{"traceEvents":[]}', [], "t.json: no trace of `faultline run --trace`"],
    ["a trace of nothing", traceOf([]), [], "t.json: traceEvents: neither a fault nor a call is there"],
    [
      "an unknown call",
      good.replace('"mmap"', '"mmap3"'),
      [],
      't.json: traceEvents[2].name: "mmap3"; allowed: brk, munmap',
    ],
    ["an older trace", good.replace('"prot":3,', ""), [], "t.json: traceEvents[2].args.prot: a text is wanted"],
    ["no number", good.replace(`"0x3f00000000"`, '"here"'), [], 'allowed: a number, or "0x…"'],
    ["half a group", good, ["--cpus", "3"], "--cpus 3: multiples of the 2 recorded CPUs are possible, up to 112"],
    ["a workload beside it", good, ["pft"], "--replay is instead of a workload: pft"],
    ["operations", good, ["--operations", "50"], "--operations: a replay makes those that were recorded"],
  ])("refuses %s with one line and status 2", async (_, text, args, message) => {
    rmSync(join(folder, "t.json"), { force: true });
    if (text !== "") write("t.json", text);
    const { status, out, err } = await predict("--replay", "t.json", ...args);
    expect([status, out]).toEqual([2, ""]);
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(err).toContain(message);
  });

  test("--compute belongs to a replay", async () => {
    expect((await predict("pft", "--compute", "1")).err).toContain("--compute: only with --replay");
    expect((await predict("--replay", "good.json", "--compute", "-1")).err).toContain("a number from 0 is possible");
  });
});
