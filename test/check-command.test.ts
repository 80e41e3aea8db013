/** `faultline check` as a user drives it: verdicts, kept ones, twins, replays, wrong usage, Ctrl-C. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { SCENARIOS } from "../src/check/scenarios/index.js";
import { jobsFor, type Options, UsageError } from "../src/cli/check/request.js";
import { distance, nearest, unknownName } from "../src/cli/nearest.js";
import { type Ended, ended, said, start as startIn } from "./support/command.js";
import { slowTest } from "./support/slow.js";

const folder = mkdtempSync(join(tmpdir(), "faultline-check-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = (...args: string[]): ChildProcess => startIn(folder, "check", ...args);

const check = (...args: string[]): Promise<Ended> => ended(start(...args));
const file = (name: string): string => join(folder, name);
const json = (name: string) => JSON.parse(readFileSync(file(name), "utf8"));
/** The cells of the row that begins with a name. */
const row = (out: string, name: string): string[] => {
  const line = out.split("\n").find((each) => each.startsWith(`│ ${name} `)) ?? "";
  return line.split("│").map((cell) => cell.trim());
};

describe("scenarios", () => {
  test("--list names every scenario and what it is about", async () => {
    const { status, out, err } = await check("--list");
    expect([status, err]).toEqual([0, ""]);
    const lines = out.trimEnd().split("\n");
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual(SCENARIOS.map(({ name, about }) => [name, about]));
  });

  const BOUNDED = ["fault-fault", "fault-mprotect", "--strategy", "bounded", "--bound", "1"];

  test("the same verdicts whatever the number of workers; the next run keeps them", async () => {
    const one = await check(...BOUNDED, "--fresh", "--jobs", "1", "--json", file("one.json"));
    expect([one.status, one.err]).toEqual([0, ""]);
    expect(one.out).toContain("bounded: all that races lead to with at most 1 preemption");
    expect(row(one.out, "fault-fault").slice(2, 4)).toEqual(["optimistic / rcu / page", "bounded"]);
    expect(one.out).not.toContain("\u001b");
    await check(...BOUNDED, "--fresh", "--jobs", "2", "--json", file("two.json"));
    const untimed = (name: string) => json(name).results.map((result: object) => ({ ...result, ms: 0 }));
    expect(untimed("two.json")).toEqual(untimed("one.json"));
    expect(json("one.json")).toMatchObject({ status: "clean", build: expect.stringMatching(/^[0-9a-f]{8}$/) });
    expect(json("one.json").results[0]).toMatchObject({ scenario: "fault-fault", reach: "bounded", kept: false });

    const again = await check(...BOUNDED);
    expect(row(again.out, "fault-fault")[3]).toBe("bounded, kept");
    expect(row(again.out, "fault-fault")[4]).toBe(row(one.out, "fault-fault")[4]);
    const other = await check("fault-fault", "--strategy", "bounded", "--bound", "0");
    expect(row(other.out, "fault-fault")[3]).toMatch(/^bounded/);
    expect(row(other.out, "fault-fault")[4]).not.toBe(row(one.out, "fault-fault")[4]);
  });

  test("a sample says from where it was drawn, and is not kept", async () => {
    const args = [
      "fault-fault",
      "--fault",
      "spf,mmap-lock",
      "--strategy",
      "random",
      "--seed",
      "7",
      "--executions",
      "20",
    ];
    for (let i = 0; i < 2; i++) {
      const { status, out } = await check(...args);
      expect([status, row(out, "fault-fault").slice(2, 5)]).toEqual([0, ["spf / rcu / page", "sampled", "20"]]);
      expect(out).toContain("mmap-lock / rcu / page");
      expect(out).toMatch(/20 executions.* from seed 7/);
    }
  });

  test("Ctrl-C prints what was covered, and how to go on", { timeout: 60_000 }, async () => {
    const child = start("heap", "--strategy", "random", "--seconds", "30", "--json", file("cut.json"));
    const end = ended(child);
    await said(child, /executions/);
    child.kill("SIGINT");
    const { status, out, err } = await end;
    expect(status).toBe(130);
    expect(row(out, "heap")[3]).toBe("interrupted");
    const { results, status: written } = json("cut.json");
    expect([written, results[0].reach]).toEqual(["interrupted", "interrupted"]);
    expect(err).toContain(
      `./faultline check heap --strategy random --seconds 30 --seed ${results[0].executions + 1}\n`,
    );
  });
});

/** Each build is compiled once a version of the core, and kept: the first run after a change is seconds longer. */
describe("what goes wrong", () => {
  slowTest(
    "slow: the first violation is told, traced, and found again by its schedule",
    { timeout: 270_000 },
    async () => {
      const args = ["walk-munmap-table", "fault-fault", "--tables", "none"];
      const found = await check(...args, "--trace", file("trace.json"), "--json", file("found.json"));
      expect([found.status, row(found.out, "walk-munmap-table")[2]]).toEqual([1, "optimistic / none+now / page"]);
      expect(row(found.out, "walk-munmap-table")[3]).toMatch(/^violation: (race|freed)$/);
      expect(row(found.out, "fault-fault")).toEqual([""]);
      expect(found.out).toMatch(/actor 0 +│ actor 1/);
      const { status, results } = json("found.json");
      const { failure } = results[0];
      expect([status, results.length]).toEqual(["violation", 1]);
      expect(found.out).toContain(failure.schedule);
      const { traceEvents } = json("trace.json");
      expect(traceEvents.some(({ name }: { name: string }) => name === failure.text)).toBe(true);

      const again = await check("--replay", failure.schedule);
      expect(again.status).toBe(1);
      expect(again.out).toContain(failure.told);
    },
  );

  slowTest("slow: twins are found, and one that is not looked at enough survives", { timeout: 270_000 }, async () => {
    const twins = ["commit-unchecked", "commit-unchecked-in-fault-munmap-one"];
    const found = await check("--twins", ...twins);
    expect([found.status, ...twins.map((name) => row(found.out, name)[4])]).toEqual([0, "found: rest", "found: rest"]);
    // Its first walk does not find it.
    const survived = await check("--twins", twins[0], "--strategy", "random", "--executions", "1");
    expect([survived.status, row(survived.out, twins[0])[4]]).toEqual([1, "SURVIVED"]);
  });
});

describe("usage", () => {
  test.each([
    [["fault-mumap"], 'no scenario "fault-mumap"; the nearest: fault-munmap'],
    [["--fault", "spf,optimistc"], "the nearest: optimistic"],
    [["--bond", "3"], "--bound"],
    [["--replay", "fault-munmap/optimistic/rcu/page@00000000:0"], "a schedule of build 00000000; this one is"],
    [["--json", "/nonexistent/folder/file"], "/nonexistent/folder/file"],
  ])("%j is one line, and 2", async (args, words) => {
    const { status, out, err } = await check(...args);
    expect([status, out]).toEqual([2, ""]);
    expect(err).toMatch(/^faultline: [^\n]+\n$/);
    expect(err).toContain(words);
  });

  test.each([
    [["commit-uncheked"], { twins: true }, "the nearest: commit-unchecked"],
    [[], { strategy: "exhaustive", bound: 3 }, "--strategy bounded, pct"],
    [[], { strategy: "bounded", seed: 3 }, "--strategy pct, pos, random"],
    [[], { strategy: "pct", bound: 0 }, "at least 1"],
    [[], { walker: "irq" }, "go together"],
    [[], { walker: "irq", freer: "upi" }, "the nearest: ipi"],
    [[], { walker: "irq", freer: "ipi", tables: ["rcu"] }, "in the place of --tables"],
    [["fault-munmap"], { replay: "a/b/c/d@00000000:0" }, "stands alone"],
    [[], { replay: "nonsense" }, "not a schedule"],
    [[], { replay: "fault-mumap/optimistic/rcu/page@00000000:0" }, "the nearest: fault-munmap"],
    [[], { replay: "fault-munmap/spf/rcu/page/commit-unchecked@00000000:0" }, "another setting"],
  ] as const)("%j with %j is refused", (names, options, words) => {
    const asked = () => jobsFor(names, { jobs: 1, ...options } as Options);
    expect(asked).toThrow(UsageError);
    expect(asked).toThrow(words);
  });

  test("the nearest names: letters left out, added, changed, exchanged", () => {
    expect([distance("abc", "abc"), distance("abc", "acb"), distance("", "abc"), distance("abxd", "abcde")]).toEqual([
      0, 1, 3, 2,
    ]);
    expect(nearest("hepa", ["leave", "heap", "fault-fault"])).toEqual(["heap"]);
    expect(unknownName("scenario", "x", [])).toBe('there is no scenario "x"');
  });
});
