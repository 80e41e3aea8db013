/**
 * What one run of the storm showed, and the table of all of them.
 *
 *   guest's last line   total faults=N ns=N rate=N errors=N      guest/storm.c
 *   --stats-json        faults, optimistic, latency_ns, tlb      absent for the native row, whose kernel we cannot ask
 *
 * Promise   a figure that was not measured, or cannot be other than 0, is "-"; the ratio compares runs of equal thread counts only.
 */
import Table from "cli-table3";
import type { coloursFor } from "./terminal.js";

/** The part of `--stats-json` that the table shows. */
export interface StormStats {
  faults: { total: number; locked: number };
  optimistic: { retry: number; fallback: number; retry_reason?: Record<string, number> };
  spf?: { abort: number; abort_reason: Record<string, number> };
  vma_lock?: { abort: number; retry: number; miss: number };
  latency_ns: { p50: number; p99: number };
  tlb: { shootdowns: number; ipis: number };
}

export interface StormRun {
  name: string;
  threads: number;
  /** Touches a second over all storm threads; undefined when the run failed. */
  rate?: number;
  stats?: StormStats;
}

type Colours = ReturnType<typeof coloursFor>;
type Column = [title: string, align: "left" | "right", cell: (run: StormRun, all: readonly StormRun[]) => string];

export const BASELINE = "mmap-lock";
const BAR_CELLS = 12;
const NOT_MEASURED = "-";

const COLUMNS: Column[] = [
  ["policy / tables", "left", (run) => run.name],
  ["threads", "right", (run) => String(run.threads)],
  ["faults/s", "right", (run) => shortNumber(run.rate)],
  ["no mmapLock", "right", (run) => percent(lockFreeShare(run.stats))],
  ["retries", "right", (run) => (run.stats && canRetry(run) ? retries(run.stats) : NOT_MEASURED)],
  ["p50", "right", (run) => duration(run.stats?.latency_ns.p50)],
  ["p99", "right", (run) => duration(run.stats?.latency_ns.p99)],
  ["shootdowns", "right", (run) => shortNumber(run.stats?.tlb.shootdowns)],
  ["IPIs", "right", (run) => shortNumber(run.stats?.tlb.ipis)],
  ["ratio", "right", (run, all) => times(ratio(run, all))],
  ["", "left", (run, all) => bar(run, all)],
];

/** The rate in the storm's output, or undefined when it is not whole or counts an error. */
export function parseStorm(output: string): { rate: number } | undefined {
  const total = /^total faults=\d+ ns=\d+ rate=(\d+) errors=(\d+)$/m.exec(output);
  return total && total[2] === "0" ? { rate: Number(total[1]) } : undefined;
}

/** What a narrow terminal does without, first to go first. */
const DISPENSABLE = ["IPIs", "shootdowns", "", "p99", "p50", "retries"];

/** As lines without a newline at the end, of at most `width` characters if leaving out columns makes it so. */
export function stormTable(runs: readonly StormRun[], colours: Colours, width: number): string {
  let columns = COLUMNS;
  let text = draw(runs, columns, colours);
  for (const dropped of DISPENSABLE) {
    if (lineWidth(text) <= width) break;
    columns = columns.filter(([title]) => title !== dropped);
    text = draw(runs, columns, colours);
  }
  return text;
}

/** The frame's first line bears no colour. */
function lineWidth(text: string): number {
  return text.split("\n")[0]?.length ?? 0;
}

function draw(runs: readonly StormRun[], columns: readonly Column[], colours: Colours): string {
  const table = new Table({
    head: columns.map(([title]) => colours.bold(title)),
    colAligns: columns.map(([, align]) => align),
    style: { head: [], border: [], "padding-left": 1, "padding-right": 1, compact: true },
  });
  for (const run of runs) table.push(columns.map(([, , cell]) => paint(run, cell(run, runs), colours)));
  return table.toString();
}

function paint(run: StormRun, text: string, colours: Colours): string {
  if (run.rate === undefined) return colours.red(text);
  if (!run.stats) return colours.dim(text);
  return run.name.startsWith(BASELINE) ? text : colours.green(text);
}

function lockFreeShare(stats: StormStats | undefined): number | undefined {
  return stats && stats.faults.total > 0 ? 1 - stats.faults.locked / stats.faults.total : undefined;
}

/** Under mmap-lock nothing is tried without it. */
function canRetry({ name }: StormRun): boolean {
  return !name.startsWith(BASELINE);
}

/** "1.2 k, detached": how many tries without mmapLock were in vain, and which check failed most often. */
function retries({ optimistic, spf, vma_lock: vma }: StormStats): string {
  const lost: Record<string, number> = { ...optimistic.retry_reason, ...spf?.abort_reason };
  if (vma) Object.assign(lost, { locked: vma.abort, miss: vma.miss, io: vma.retry });
  const count = shortNumber(optimistic.retry + (spf?.abort ?? 0) + (vma ? vma.abort + vma.miss + vma.retry : 0));
  const main = Object.entries(lost).sort((a, b) => b[1] - a[1])[0];
  return main && main[1] > 0 ? `${count}, ${main[0].replace("pte_map_lock_", "")}` : count;
}

function ratio(run: StormRun, all: readonly StormRun[]): number | undefined {
  const base = all.find((other) => other.name.startsWith(BASELINE) && other.threads === run.threads)?.rate;
  return base && run.rate !== undefined ? run.rate / base : undefined;
}

function bar(run: StormRun, all: readonly StormRun[]): string {
  const most = Math.max(...all.map((other) => other.rate ?? 0));
  if (run.rate === undefined) return "failed";
  if (most === 0) return "";
  const eighths = Math.max(1, Math.round((run.rate / most) * BAR_CELLS * 8));
  return "█".repeat(eighths >> 3) + ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths & 7];
}

/** Three figures and a unit: 7, 950, 12.3 k, 1.45 M. */
export function shortNumber(n: number | undefined): string {
  if (n === undefined || !Number.isFinite(n)) return NOT_MEASURED;
  for (const [unit, size] of [
    ["G", 1e9],
    ["M", 1e6],
    ["k", 1e3],
  ] as const) {
    if (n >= size * 0.9995) return `${(n / size).toPrecision(3)} ${unit}`;
  }
  return String(Math.round(n));
}

function duration(ns: number | undefined): string {
  if (!ns) return NOT_MEASURED;
  if (ns < 1e4) return `${Math.round(ns)} ns`;
  return ns < 1e7 ? `${Math.round(ns / 1e3)} µs` : `${Math.round(ns / 1e6)} ms`;
}

function percent(share: number | undefined): string {
  return share === undefined ? NOT_MEASURED : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

function times(n: number | undefined): string {
  return n === undefined ? NOT_MEASURED : `${n.toFixed(2)}×`;
}
