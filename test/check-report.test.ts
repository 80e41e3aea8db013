/** What a person is given of a violation: a twin's failure is minimised, replayed, told with places and names, and traced. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { chromeTrace, type TraceEvent } from "../src/check/chrome.js";
import { type Explained, explain, type MakeChecker, smaller } from "../src/check/explain.js";
import { Replay } from "../src/check/replay.js";
import type { Failure } from "../src/check/scenario.js";
import { scenario } from "../src/check/scenarios/index.js";
import { BadSchedule, buildHash, decode, encode, mustBeOf, type Run, shortened } from "../src/check/schedule.js";
import { TWINS } from "../src/check/twins/index.js";
import { Step } from "../src/core/abi/step.js";
import { buildTold, buildTwin } from "../tools/build-twin.mjs";
import { buildOf, shippedLayout } from "./support/check.js";

const twin = TWINS.find(({ name }) => name === "commit-unchecked")!;
const race = scenario(twin.scenario);
const operations = race.actors.map((actor) => actor.length);

let make: MakeChecker;
let failure: Failure;
let explained: Explained;
let hash: string;

beforeAll(async () => {
  const linked = await buildTwin(twin.patches);
  const { told, sites, calls } = await buildTold(twin.patches);
  const build = buildOf(linked);
  hash = await buildHash(linked.hooked);
  make = (keep, other) => new Checker({ ...build, ...other }, shortened(race, keep), twin.policy);
  failure = make(undefined).runSeeds(1, 6000)!;
  const schedule = smaller(make, { name: race.name, build: hash, runs: failure.runs }, operations);
  explained = explain(make, schedule, shippedLayout(), { hooked: new WebAssembly.Module(told), sites, calls });
}, 180_000);

test("a schedule replays its execution, twice the same, and again from its string", () => {
  const replay = (runs: readonly Run[] = failure.runs) => make(undefined).run(new Replay(runs));
  expect(replay()?.hash).toBe(failure.hash);
  expect(replay()?.hash).toBe(failure.hash);
  const text = encode({ name: "fault-munmap/optimistic/rcu/page", build: hash, runs: failure.runs });
  expect(replay(decode(text).runs)?.hash).toBe(failure.hash);
  expect(replay(decode(text).runs)?.text).toBe(failure.text);
});

test("a string that is no schedule, or another build's, is refused", () => {
  const schedule = {
    name: "a/b",
    build: "0123abcd",
    keep: [1, 0],
    runs: [
      { lane: 0, events: 12 },
      { lane: 3, events: 1 },
    ],
  };
  expect(encode(schedule)).toBe("a/b@0123abcd~1,0:0x12.3");
  expect(decode(encode(schedule))).toEqual(schedule);
  expect(() => mustBeOf(schedule, "0123abcd")).not.toThrow();
  expect(() => mustBeOf(schedule, "0123abce")).toThrow(BadSchedule);
  for (const wrong of ["", "a/b:0", "a@0123abcd:0x", "a@0123abcd:0..1", "a@0123abcd:-1", "a@0123abcd:0x0"]) {
    expect(() => decode(wrong), wrong).toThrow(BadSchedule);
  }
});

test("minimised: the same rule with fewer switches and fewer operations", () => {
  const { schedule } = explained;
  expect(explained.failure!.rule).toBe(failure.rule);
  expect(schedule.runs.length).toBeLessThan(failure.runs.length);
  // The race needs one preemption: the fault, the whole of munmap, the rest of the fault.
  expect(schedule.runs.map(({ lane }) => lane)).toEqual([0, 1, 0]);
  expect(schedule.keep).toEqual([1, 1]);
});

test("every step has its place, and most the callers of an optimised execution", () => {
  const { steps, lanes } = explained.story;
  expect(steps.length).toBeGreaterThan(200);
  const operationEdges = steps.filter(({ places }) => places.length === 0);
  expect(operationEdges.map(({ lane }) => lane)).toEqual([lanes[0], lanes[1]]);
  const committed = steps.find(
    ({ name, kind, before, after }) => kind === Step.AtomicCmpxchg && name === "pte 40000000" && before !== after,
  )!;
  const [inner, ...outer] = committed.places.map(({ file, line }) => [file, sourceLine(file, line)]);
  expect(inner).toEqual(["mm/commit.ts", expect.stringContaining("atomic.cmpxchg<u64>")]);
  expect(outer.map(([file]) => file)).toEqual(
    expect.arrayContaining(["mm/serve.ts", "mm/faultOptimistic.ts", "mm/uaccess.ts"]),
  );
  expect(outer.find(([file]) => file === "mm/serve.ts")![1]).toMatch(/\w+\(/);
});

test("the report: the two steps that conflict, then columns whose places are lines of the source", () => {
  const lines = explained.text.split("\n");
  expect(lines[0]).toBe(failure.text);
  expect(lines.length).toBeGreaterThan(30);
  expect(lines.length).toBeLessThan(90);
  const [first, second] = lines.slice(2).filter((line) => /^ {2}actor \d/.test(line));
  expect(first).toMatch(/actor 0 +load space root ➜ 0x/);
  expect(second).toMatch(/actor 1 +store space root = 0x/);
  expect(explained.text).toMatch(/cas pte 40000000 ➜ none = frame \d+ rw-uad/);
  expect(explained.text).toContain(`--replay '${explained.encoded}'`);
  const told = [...explained.text.matchAll(/([a-z]+\/\w+\.ts):(\d+) +(plain load|load|plain store|store|cas|xchg) /g)];
  expect(told.length).toBeGreaterThan(15);
  for (const [all, file, line] of told) {
    // A word of the core, or the call of one.
    expect(sourceLine(file, Number(line)), all).toMatch(/load|store|cmpxchg|xchg|\w\(/);
  }
});

test("a schedule that breaks nothing is told too", () => {
  const {
    text,
    failure: none,
    story,
  } = explain(make, { ...explained.schedule, runs: [{ lane: 0, events: 1 }] }, shippedLayout());
  expect(none).toBeUndefined();
  expect(text).toMatch(/^this schedule breaks nothing\n/);
  // Without the told build, a place is that of the innermost helper.
  expect(story.steps.every(({ places }) => places.length <= 1)).toBe(true);
  expect(text).toMatch(/cas pte 40000000 ➜ none = frame \d+ rw-uad/);
});

test("an actor's columns keep the order of the schedule", () => {
  const rows = explained.text.split("\n").filter((line) => line.includes("│"));
  const rowOf = (words: string) => rows.findIndex((row) => row.includes(words));
  const [before, other, after] = [rowOf("write 40000000 7 {"), rowOf("unmap 40000000+1 {"), rowOf("cas pte 40000000")];
  expect(before).toBeLessThan(other);
  expect(other).toBeLessThan(after);
  expect(rows[other].indexOf("│")).toBeLessThan(rows[other].indexOf("unmap"));
});

test("the Chrome trace nests on every track, and its switches and the violation are instants", () => {
  const checker = make(explained.schedule.keep);
  const { text } = checker.run(new Replay(explained.schedule.runs))!;
  const { trace, lanes } = checker.scheduler;
  const { sites } = checker.machine;
  const { traceEvents } = chromeTrace({ title: race.name, trace, lanes, spans: checker.spans, sites, violation: text });
  for (const lane of lanes) mustNest(traceEvents.filter(({ tid, ph }) => tid === lane.id && "BEX".includes(ph)));
  const instants = traceEvents.filter(({ ph }) => ph === "i");
  expect(instants.map(({ name }) => name)).toEqual(["switch", "switch", text]);
  const steps = traceEvents.filter(({ ph }) => ph === "X").reduce((sum, { dur }) => sum + dur!, 0);
  expect(steps).toBe(trace.length);
  expect(traceEvents.filter(({ ph }) => ph === "B").map(({ name }) => name)).toEqual([
    "write 40000000 7",
    "unmap 40000000+1",
  ]);
});

function mustNest(events: readonly TraceEvent[]): void {
  const open: number[] = [];
  let now = 0;
  for (const { ph, ts, dur, name } of events) {
    expect(ts, name).toBeGreaterThanOrEqual(now);
    now = ph === "X" ? ts + dur! : ts;
    if (ph === "B") open.push(ts);
    else if (ph === "E") expect(open.pop(), name).toBeLessThanOrEqual(ts);
    else expect(open.length, name).toBe(1);
  }
  expect(open).toEqual([]);
}

function sourceLine(file: string, line: number): string {
  return readFileSync(join(import.meta.dirname, "../src/core", file), "utf8").split("\n")[line - 1];
}
