/** `faultline predict` as a user drives it: points, reports, machine files of one's own, wrong usage, Ctrl-C. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Point, pointsOf } from "../src/cli/predict/points.js";
import { type Ended, ended, ROOT, said, start as startIn } from "./support/command.js";

const SKYLAKE = join(ROOT, "src/predict/machines/skylake-112.json");
const folder = mkdtempSync(join(tmpdir(), "faultline-predict-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = (...args: string[]): ChildProcess => startIn(folder, "predict", ...args);

const predict = (...args: string[]): Promise<Ended> => ended(start(...args));
const file = (name: string): string => join(folder, name);
const points = (name: string): Point[] => JSON.parse(readFileSync(file(name), "utf8")).points;

const SMALL = ["--cpus", "1,4", "--fault", "mmap-lock,optimistic", "--operations", "60", "--seeds", "2"];

describe("predict", { timeout: 180_000 }, () => {
  test("gives the same figures whatever the number of workers, and draws them", async () => {
    const one = await predict(...SMALL, "--jobs", "1", "--json", "one.json", "--plot", "p.svg", "--html", "p.html");
    const two = await predict(...SMALL, "--jobs", "2", "--json", "two.json");
    expect([one.status, two.status]).toEqual([0, 0]);
    expect(one.out).toBe(two.out);
    expect(points("one.json")).toEqual(points("two.json"));
    expect(points("one.json").map(({ policy, cpus }) => `${policy} ${cpus}`)).toEqual([
      "mmap-lock 1",
      "mmap-lock 4",
      "optimistic 1",
      "optimistic 4",
    ]);
    const svg = readFileSync(file("p.svg"), "utf8");
    expect(svg).toMatch(/^<svg /);
    expect(svg).toContain("mmap-lock, published (skylake)");
    const html = readFileSync(file("p.html"), "utf8");
    expect(html).toContain("<svg ");
    expect(html).toContain("prefetchw(&#38;current-&#62;mm-&#62;mmap_lock)");
    expect(html).not.toMatch(/<script|(?:src|href)=/);
  });

  test("takes a machine of one's own, and what is changed in it changes the figures", async () => {
    const machine = JSON.parse(readFileSync(SKYLAKE, "utf8"));
    machine.name = "mine";
    machine.constants.complex.value = 480;
    writeFileSync(file("mine.json"), JSON.stringify(machine));
    const mine = await predict(...SMALL, "--machine", "mine.json", "--json", "mine-points.json");
    expect(mine.status).toBe(0);
    expect(mine.out).toMatch(/^mine: /);
    const stock = await predict(...SMALL, "--json", "stock.json");
    expect(stock.status).toBe(0);
    const rate = (all: Point[]) => all.find(({ policy, cpus }) => policy === "mmap-lock" && cpus === 4)!.rate;
    expect(rate(points("mine-points.json"))).toBeLessThan(0.7 * rate(points("stock.json")));
  });

  test("--pretouch alone is own; several kinds are compared, and named", async () => {
    const shared = ["pft_shared", "--cpus", "8", "--fault", "optimistic", "--operations", "60", "--seeds", "1"];
    const all = await predict(...shared, "--pretouch", "none,read,own", "--json", "all.json");
    expect(all.status).toBe(0);
    expect(points("all.json").map(({ pretouch }) => pretouch)).toEqual(["none", "read", "own"]);
    expect(all.out).toContain(" optimistic+own / rcu ");
    expect((await predict(...shared, "--pretouch", "--json", "alone.json")).status).toBe(0);
    expect(points("alone.json")).toEqual([points("all.json")[2]]);
    const missed = points("all.json").map(({ spent }) => spent.missLocked);
    expect(missed[2]).toBeLessThan(0.7 * missed[0]);
  });

  test.each([
    ["an unknown pretouch", ["--pretouch", "pft_shared"], 'there is no pretouch "pft_shared"'],
    ["an unknown machine", ["--machine", "skylake"], 'there is no machine "skylake"; the nearest: skylake-112'],
    ["an unknown workload", ["pftt"], 'there is no workload "pftt"; the nearest: pft'],
    ["more threads than CPUs", ["--cpus", "500"], "--cpus 500: skylake-112 has 112"],
    ["more threads than a mask holds", ["--cpus", "1025", "--machine", "superdome-1024"], "1 to 1024 are possible"],
    [
      "more pages than a memory holds",
      ["app_start", "--cpus", "1024", "--machine", "superdome-1024", "--fault", "optimistic", "--seeds", "1"],
      "app_start: 1024 threads with 700 operations each need 28.9 GiB; the simulated memory has 3.75 at most",
    ],
    ["an unknown policy", ["--fault", "sfp"], 'there is no policy "sfp"; the nearest: spf'],
    ["a negative cost", ["--machine", "bad.json"], "bad.json: constants.memory.value: -1; allowed: 0 or more"],
    ["a file that is not there", ["--machine", "no.json"], "no.json"],
  ])("refuses %s with one line and status 2", async (_, args, message) => {
    const machine = JSON.parse(readFileSync(SKYLAKE, "utf8"));
    machine.constants.memory = { value: -1, unit: "ns", source: "a slip" };
    writeFileSync(file("bad.json"), JSON.stringify(machine));
    const { status, out, err } = await predict(...args);
    expect([status, out]).toEqual([2, ""]);
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(err).toContain(message);
  });

  test("lists workloads and machines, a line each", async () => {
    const { status, out } = await predict("--list");
    expect(status).toBe(0);
    expect(out).toMatch(/^tlb_flush2 +\S/m);
    expect(out).toMatch(/^rome-256: \S/m);
  });

  test("interrupted, prints the points it has: 130", async () => {
    const child = start("--cpus", "4", "--operations", "10000", "--fault", "optimistic", "--seeds", "50");
    const over = ended(child);
    await said(child, /\d of 50 runs/);
    child.kill("SIGINT");
    const { status, out } = await over;
    expect(status).toBe(130);
    expect(out).toContain("skylake-112: ");
  });
});

test("a point: the mean of its seeds, and the error of that mean", () => {
  const job = { machine: { name: "m" }, workload: "pft", policy: "spf", tables: "rcu", layout: "page", cpus: 2 };
  const quantiles = { count: 1, p50: 1, p99: 2, max: 3 };
  const outcome = (rate: number) => ({
    rate,
    spent: { useful: 1 },
    faults: quantiles,
    unmaps: quantiles,
    ipis: quantiles,
    irqOff: quantiles,
    footprint: { linesTouched: rate },
  });
  const jobs = [1, 2, 3].map((seed) => ({ ...job, seed })) as unknown as Parameters<typeof pointsOf>[0];
  const outcomes = [10, 20, undefined].map((rate) => rate && outcome(rate)) as Parameters<typeof pointsOf>[1];
  const [point] = pointsOf(jobs, outcomes);
  expect(point).toMatchObject({ rate: 15, error: 5, seeds: 2, cpus: 2, footprint: { linesTouched: 15 } });
  expect(point.faults).toEqual({ count: 2, p50: 1, p99: 2, max: 3 });
});
