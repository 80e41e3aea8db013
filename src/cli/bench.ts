/**
 * `faultline bench`: speed, measured beside its rivals in one run.
 *
 * Promise   each row stands beside zeroing the same pages and beside the native kernel, from the same minutes of the same
 *           machine; the command that repeats a table is printed above it. Interrupted, it prints what it has: status 130.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { type Command, InvalidArgumentError } from "commander";
import { benchFaults, type FaultRow, HOT_PAGES } from "../bench/fault.js";
import { shortNumber } from "./stormTable.js";
import { coloursFor, Progress } from "./terminal.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BENCHES = ["fault"];

interface Options {
  json?: string;
  threads: number[];
  samples: number;
  milliseconds: number;
}

export function registerBench(program: Command): void {
  program
    .command("bench")
    .description("measure speed beside the native kernel")
    .argument("[names...]", `what to measure: ${BENCHES.join(", ")}; all when none is named`, known, [])
    .option("--threads <list>", "numbers of threads, with commas between", threadList, [1, 2])
    .option("--samples <n>", "samples of each row", whole, 5)
    .option("--milliseconds <n>", "how long one sample lasts", whole, 300)
    .option("--json <file>", "write the rows as JSON")
    .action(async (_names: string[], options: Options) => {
      process.exitCode = await bench(options);
    });
}

async function bench({ threads, samples, milliseconds, json }: Options): Promise<number> {
  const progress = new Progress();
  let interrupted = false;
  const stop = () => {
    interrupted = true;
  };
  process.on("SIGINT", stop);
  const rows = await benchFaults({
    threads,
    samples,
    milliseconds,
    directory: new URL("./", import.meta.url),
    native: nativeStorm(),
    progress: (text) => progress.update(text),
    stopped: () => interrupted,
  }).finally(() => {
    progress.done();
    process.off("SIGINT", stop);
  });
  const command = `./faultline bench fault --threads ${threads.join(",")} --samples ${samples}`;
  const model = cpus()[0]?.model ?? "unknown processor";
  process.stdout.write(`${command}\n${cpus().length} × ${model}, Node ${process.version}\n${faultTable(rows)}\n`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, null, 2)}\n`);
  return interrupted ? 130 : 0;
}

/** Each rate, its spread, and how it compares with one thread of its own, with mmap-lock, zeroing and native. */
function faultTable(rows: readonly FaultRow[]): string {
  const colours = coloursFor(process.stdout);
  const titles = [
    "pages",
    "threads",
    "",
    "faults/s",
    "middle half",
    "÷ zeroing",
    "÷ native",
    "÷ mmap-lock",
    "÷ 1 thread",
  ];
  const table = new Table({
    head: titles.map((title) => colours.bold(title)),
    colAligns: ["left", "right", "left", "right", "right", "right", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    const rate = (name: string, threads: number) =>
      rows.find((r) => r.name === name && r.threads === threads && r.pages === row.pages)?.rate;
    const against = (name: string, threads = row.threads) => ratio(row.rate, rate(name, threads));
    table.push([
      row.pages === HOT_PAGES ? "64, hot" : "128 MiB, cold",
      row.threads,
      row.name,
      shortNumber(row.rate),
      `${shortNumber(row.low)} – ${shortNumber(row.high)}`,
      against("zeroing alone"),
      against("native"),
      against("mmap-lock"),
      against(row.name, 1),
    ]);
  }
  return table.toString();
}

function ratio(value: number, base: number | undefined): string {
  return base === undefined ? "-" : `${(value / base).toFixed(2)}×`;
}

/** The storm built by this machine's cc, or undefined where there is none. */
function nativeStorm(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const folder = join(ROOT, "build/native");
  const { status } = spawnSync(process.execPath, [join(ROOT, "guest/build.mjs"), "--native", folder]);
  return status === 0 ? join(folder, "storm") : undefined;
}

function known(name: string, before: string[]): string[] {
  if (!BENCHES.includes(name)) throw new InvalidArgumentError(`there is: ${BENCHES.join(", ")}`);
  return [...before, name];
}

function whole(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1 || n > 100_000) throw new InvalidArgumentError("1 to 100000 are possible");
  return n;
}

function threadList(text: string): number[] {
  const counts = text.split(",").map(Number);
  if (counts.some((n) => !Number.isInteger(n) || n < 1 || n > 16)) {
    throw new InvalidArgumentError("thread counts from 1 to 16 are wanted, with commas between");
  }
  return counts;
}
