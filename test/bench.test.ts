/** `faultline bench` end to end, briefly: every row is there and every figure is one. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { roundOf } from "../src/bench/gate.js";
import { slowTest } from "./support/slow.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface Row {
  readonly name: string;
  readonly tables: string;
  readonly layout: string;
  readonly pretouch: string;
  readonly gain: { readonly rate: number };
  readonly program: string;
  readonly test: string;
  readonly mutator: string | boolean;
  readonly threads: number;
  readonly pages: number;
  readonly rate: number;
  readonly denseNs: number;
  readonly sparseNs: number;
  readonly live: number;
  readonly held: number;
}

/** Runs `faultline bench ARGS`: its rows by bench, and the first line of each table's heading. */
function bench(...args: string[]): { rows: Record<string, Row[]>; commands: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "faultline-bench-"));
  try {
    const file = join(folder, "rows.json");
    const command = [join(ROOT, "tools/launch.mjs"), "bench", ...args, "--samples", "1", "--json", file];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
    expect(stderr.replace(/^npm warn.*\n/gm, "")).not.toMatch(/^bench: /m);
    expect(status).toBe(0);
    const commands = stdout.split("\n").filter((line) => line.startsWith("./faultline bench "));
    return { rows: JSON.parse(readFileSync(file, "utf8")), commands };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("bench fault writes a row for each policy and protection beside its rivals", { timeout: 270_000 }, () => {
  const { rows, commands } = bench("fault", "--threads", "2", "--milliseconds", "20");
  expect(commands).toEqual(["./faultline bench fault --threads 2 --tables rcu,irq --samples 1"]);
  for (const pages of [64, 32768]) {
    const of = rows.fault!.filter((row) => row.pages === pages);
    const names = of.map(({ name, tables }) => `${name}/${tables}`);
    const policies = ["mmap-lock", "spf", "vma-lock", "optimistic"].flatMap((p) => [`${p}/rcu`, `${p}/irq`]);
    expect(names).toEqual(expect.arrayContaining([...policies, "zeroing alone/"]));
  }
  for (const { rate } of rows.fault!) expect(rate).toBeGreaterThan(1000);
});

test("bench fault --pretouch writes a row for each policy and kind, beside none", { timeout: 90_000 }, () => {
  const { rows, commands } = bench("fault", "--pretouch", "own", "--threads", "1", "--milliseconds", "50");
  expect(commands).toEqual(["./faultline bench fault --pretouch own --threads 1 --tables rcu,irq --samples 1"]);
  const names = rows.fault!.map(({ name, tables, pretouch }) => `${name}/${tables}/${pretouch}`);
  const policies = ["mmap-lock", "spf", "vma-lock", "optimistic"];
  const kinds = ["rcu", "irq"].flatMap((tables) =>
    policies.flatMap((p) => [`${p}/${tables}/none`, `${p}/${tables}/own`]),
  );
  expect(names).toEqual(kinds);
  for (const { rate, gain } of rows.fault!) expect([rate > 1000, gain.rate > 0.01]).toEqual([true, true]);
});

test("a round counts where its threads were at work together", () => {
  expect(roundOf(Float64Array.of(0, 100, 10, 105), 2)).toBe(105);
  expect(roundOf(Float64Array.of(0, 100, 50, 150), 2)).toBeNaN();
  expect(roundOf(Float64Array.of(0, 100, 100, 200), 2)).toBeNaN();
  expect(roundOf(Float64Array.of(3, 8, 100, 200), 1)).toBe(5);
});

slowTest("slow: bench storm, guest and layout write theirs", { timeout: 270_000 }, () => {
  const brief = ["--threads", "1", "--milliseconds", "100", "--share", "0.01"];
  const { rows, commands } = bench("storm", "guest", "layout", ...brief);
  expect(commands.map((line) => line.split(" ")[2])).toEqual(["storm", "guest", "layout"]);
  for (const mutator of ["none", "far", "near"]) {
    const names = rows.storm!.filter((row) => row.mutator === mutator).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["mmap-lock", "spf", "vma-lock", "optimistic"]));
  }
  expect(rows.guest!.filter(({ name }) => name === "faultline").map(({ program }) => program)).toEqual([
    "integer",
    "memory",
    "float",
  ]);
  for (const { rate } of [...rows.storm!, ...rows.guest!]) expect(rate).toBeGreaterThan(1000);
  const held = Object.fromEntries(rows.layout!.map((row) => [`${row.layout}/${row.tables}`, row.held]));
  // 1,024 of 2,048 leaf tables given back: a frame each, or with a block kept alive by its other tables.
  expect(held["page/rcu"]).toBe(0);
  expect(held["halves/rcu"]).toBeGreaterThan(900);
  expect(held["fragments/irq"]).toBeGreaterThan(900);
  for (const { denseNs, sparseNs, live } of rows.layout!) {
    expect(denseNs).toBeGreaterThan(0);
    expect(sparseNs).toBeGreaterThan(denseNs);
    expect(live).toBeGreaterThan(1024);
  }
});

test("bench memory writes every operation, alone and beside a mutator", { timeout: 270_000 }, () => {
  const { rows, commands } = bench("memory", "--threads", "1,2", "--milliseconds", "20");
  expect(commands).toEqual(["./faultline bench memory --threads 1,2 --samples 1"]);
  const ours = rows.memory!.filter(({ name }) => name === "optimistic");
  for (const mode of ["1 false", "2 false", "2 true"]) {
    const of = ours.filter(({ threads, mutator }) => `${threads} ${mutator}` === mode);
    expect(of.map(({ test }) => test)).toEqual([
      "mmap",
      "mprotect",
      "dontneed",
      "fork",
      "exec",
      "cow",
      "fileread",
      "filesingle",
      "shared",
      "memfd",
      "vmread",
    ]);
  }
  for (const { rate } of rows.memory!) expect(rate).toBeGreaterThan(1);
});

test("an unknown bench is named", () => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "tools/launch.mjs"), "bench", "flaut"]);
  expect(status).toBe(2);
  expect(stderr.toString()).toMatch(/^faultline: [^\n]*fault[^\n]*\n$/);
});
