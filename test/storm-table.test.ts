import { describe, expect, it } from "vitest";
import { parseStorm, type StormRun, shortNumber, stormTable } from "../src/cli/stormTable";
import { coloursFor } from "../src/cli/terminal";

const plain = coloursFor({ write: () => true }, {});

function run(name: string, rate: number | undefined, locked: number, more: Partial<StormRun> = {}): StormRun {
  const stats = {
    faults: { total: 1000, locked },
    optimistic: { retry: 12, fallback: 0, retry_reason: { detached: 9, dead: 1, entry: 2 } },
    latency_ns: { p50: 310, p99: 12_345 },
    tlb: { shootdowns: 45_678, ipis: 3 },
  };
  return { name, threads: 4, rate, stats, ...more };
}

const RUNS = [
  run("mmap-lock / rcu", 400_000, 1000),
  run("optimistic / rcu", 1_000_000, 1),
  run("native", 500_000, 0, { stats: undefined }),
];

describe("the storm's output", () => {
  it("gives the rate of the total line", () => {
    const output = "thread=0 rounds=1 faults=2 ns=3 rate=4\ntotal faults=16384 ns=39 rate=417120 errors=0\n";
    expect(parseStorm(output)).toEqual({ rate: 417120 });
  });

  it("counts for nothing when a byte was wrong or the output is cut", () => {
    expect(parseStorm("total faults=1 ns=1 rate=1 errors=2\n")).toBeUndefined();
    expect(parseStorm("thread=0 rounds=1 faults=2 ns=3 rate=4\ntotal faults=1")).toBeUndefined();
  });
});

describe("the storm's table", () => {
  const lines = stormTable(RUNS, plain, 200).split("\n");
  const rowOf = (name: string) => lines.find((line) => line.includes(name)) ?? "";

  it("shows rate, share without mmapLock, retries with their main reason, latency and flushes", () => {
    for (const cell of ["1.00 M", "99.9 %", "12, detached", "310 ns", "12 µs", "45.7 k", "2.50×"]) {
      expect(rowOf("optimistic")).toContain(cell);
    }
    expect(rowOf("mmap-lock")).toContain("0.0 %");
    expect(rowOf("mmap-lock")).toContain("1.00×");
  });

  it("never shows a figure that was not measured", () => {
    const cells = rowOf("native")
      .split("│")
      .map((cell) => cell.trim());
    expect(cells.slice(4, 10)).toEqual(["-", "-", "-", "-", "-", "-"]);
    expect(cells[10]).toBe("1.25×");
  });

  it("scales the bars to the fastest run", () => {
    const length = (name: string) => rowOf(name).match(/█/g)?.length ?? 0;
    expect([length("optimistic"), length("native")]).toEqual([12, 6]);
  });

  it("compares runs of equal thread counts only", () => {
    const table = stormTable([RUNS[0]!, { ...RUNS[1]!, threads: 1 }], plain, 200);
    expect(table).not.toContain("2.50×");
  });

  it("says which run failed", () => {
    expect(stormTable([run("optimistic / rcu", undefined, 0, { stats: undefined })], plain, 200)).toContain("failed");
  });

  it("leaves the bar out where it does not fit, and colour off a terminal", () => {
    expect(stormTable(RUNS, plain, 100)).not.toContain("█");
    expect(stormTable(RUNS, plain, 100)).not.toContain("\u001b");
  });
});

it("short numbers keep three figures", () => {
  expect([0, 7, 999, 12_345, 1_449_000, 3e9].map(shortNumber)).toEqual(["0", "7", "999", "12.3 k", "1.45 M", "3.00 G"]);
  expect(shortNumber(undefined)).toBe("-");
});
