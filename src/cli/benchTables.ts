/** cli/benchTables.ts: the tables of `faultline bench`. A ratio whose other side was not measured is "-". */
import Table from "cli-table3";
import type { CheckBench } from "../bench/check.js";
import { type FaultRow, HOT_PAGES } from "../bench/fault.js";
import type { GuestRow } from "../bench/guest.js";
import type { LayoutRow } from "../bench/layout.js";
import type { Spread } from "../bench/median.js";
import { MEMORY_TESTS, type MemoryRow } from "../bench/memory.js";
import type { PretouchRow } from "../bench/pretouch.js";
import type { StormRow } from "../bench/storm.js";
import { shortNumber } from "./stormTable.js";
import type { coloursFor } from "./terminal.js";

type Colours = ReturnType<typeof coloursFor>;

export function faultTable(rows: readonly FaultRow[], colours: Colours): string {
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
  return draw(
    titles,
    3,
    colours,
    rows.map((row) => {
      const against = (name: string, tables: string, threads = row.threads) =>
        ratio(
          row.rate,
          rows.find((r) => r.name === name && r.tables === tables && r.threads === threads && r.pages === row.pages)
            ?.rate,
        );
      return [
        row.pages === HOT_PAGES ? "64, hot" : "128 MiB, cold",
        `${row.threads}`,
        row.tables === "" ? row.name : `${row.name} / ${row.tables}`,
        ...spread(row),
        against("zeroing alone", ""),
        against("native", ""),
        against("mmap-lock", row.tables),
        against(row.name, row.tables, 1),
      ];
    }),
  );
}

export function pretouchTable(rows: readonly PretouchRow[], colours: Colours): string {
  const titles = [
    "policy / tables",
    "threads",
    "pretouch",
    "faults/s",
    "middle half",
    "÷ none",
    "middle half",
    "samples",
  ];
  return draw(
    titles,
    3,
    colours,
    rows.map((row) => {
      const { rate, low, high } = row.gain;
      const gain = row.pretouch === "none" ? ["1.00×", "-"] : [ratio(rate, 1), `${ratio(low, 1)} – ${ratio(high, 1)}`];
      return [`${row.name} / ${row.tables}`, `${row.threads}`, row.pretouch, ...spread(row), ...gain, `${row.samples}`];
    }),
  );
}

export function stormTable(rows: readonly StormRow[], colours: Colours): string {
  const titles = ["mutator", "threads", "", "faults/s", "middle half", "÷ native", "÷ qemu", "÷ mmap-lock", "÷ spf"];
  return draw(
    titles,
    3,
    colours,
    rows.map((row) => {
      const against = (name: string) =>
        ratio(
          row.rate,
          rows.find((r) => r.name === name && r.threads === row.threads && r.mutator === row.mutator)?.rate,
        );
      const rivals = ["native", "qemu", "mmap-lock", "spf"].map(against);
      return [row.mutator, `${row.threads}`, row.name, ...spread(row), ...rivals];
    }),
  );
}

export function memoryTable(rows: readonly MemoryRow[], colours: Colours): string {
  const titles = ["operation", "threads", "", "a second", "middle half", "each", "÷ native", "÷ qemu"];
  return draw(
    titles,
    3,
    colours,
    Object.entries(MEMORY_TESTS).flatMap(([test, title]) =>
      rows
        .filter((row) => row.test === test)
        .map((row) => {
          const against = (name: string) =>
            ratio(
              row.rate,
              rows.find(
                (r) => r.name === name && r.test === test && r.threads === row.threads && r.mutator === row.mutator,
              )?.rate,
            );
          const threads = `${row.threads}${row.mutator ? " + mutator" : ""}`;
          return [title, threads, row.name, ...spread(row), each(row), against("native"), against("qemu")];
        }),
    ),
  );
}

/** How long one operation takes one thread. */
function each({ rate, threads }: MemoryRow): string {
  const ns = (threads * 1e9) / rate;
  if (ns < 1000) return `${ns.toFixed(0)} ns`;
  return ns < 1e6 ? `${(ns / 1000).toPrecision(3)} µs` : `${(ns / 1e6).toPrecision(3)} ms`;
}

export function guestTable(rows: readonly GuestRow[], colours: Colours): string {
  const titles = ["program", "", "instructions/s", "middle half", "÷ qemu", "÷ native"];
  return draw(
    titles,
    2,
    colours,
    rows.map((row) => {
      const against = (name: string) =>
        ratio(row.rate, rows.find((r) => r.name === name && r.program === row.program)?.rate);
      return [row.program, row.name, ...spread(row), against("qemu"), against("native")];
    }),
  );
}

export function layoutTable(rows: readonly LayoutRow[], colours: Colours): string {
  const titles = ["layout / tables", "dense", "÷ page", "sparse", "÷ page", "live tables", "kept back"];
  return draw(
    titles,
    1,
    colours,
    rows.map((row) => {
      const page = rows.find((r) => r.layout === "page" && r.tables === row.tables);
      return [
        `${row.layout} / ${row.tables}`,
        `${row.denseNs.toFixed(0)} ns`,
        ratio(row.denseNs, page?.denseNs),
        `${row.sparseNs.toFixed(0)} ns`,
        ratio(row.sparseNs, page?.sparseNs),
        frames(row.live),
        frames(row.held),
      ];
    }),
  );
}

/** Two tables, and what differs between the sides of the second. */
export function checkTable({ core, model }: CheckBench, colours: Colours): string {
  const coreRows = core.map(({ name, steps, executions, switches }) => {
    const each = `${(1e9 / steps.rate).toFixed(0)} ns`;
    return [name, ...spread(steps), each, shortNumber(executions.rate), shortNumber(switches.rate)];
  });
  const modelRows = model.map(({ name, size, steps, total, executions, ms }) => {
    const shape = `${size.lockers} × ${size.rounds}, ${size.reads} reads`;
    const all = [
      shortNumber(total),
      shortNumber(executions),
      ms.rate < 1000 ? `${ms.rate.toPrecision(3)} ms` : `${(ms.rate / 1000).toPrecision(3)} s`,
    ];
    return [name, shape, ...spread(steps), ...all];
  });
  const coreTitles = ["core, one CPU", "steps/s", "middle half", "a step", "executions/s", "switches/s"];
  const modelTitles = ["model", "size", "steps/s", "middle half", "all steps", "executions", "all of it"];
  return [
    draw(coreTitles, 1, colours, coreRows),
    ...(model.length > 0 ? [draw(modelTitles, 2, colours, modelRows), ...DIFFERS] : []),
  ].join("\n");
}

const DIFFERS = [
  "A step of ours is an access that took effect, on the way back to a known place too; one of spin is a state stored.",
  "Spin keeps every state and never runs one twice; ours keeps none: compare the time for all of it, at one size.",
  "Spin's time includes the start of its process, not its compilation.",
];

function frames(n: number): string {
  return `${n}, ${((n * 4) / 1024).toFixed(1)} MiB`;
}

function spread({ rate, low, high }: Spread): string[] {
  return [shortNumber(rate), `${shortNumber(low)} – ${shortNumber(high)}`];
}

function ratio(value: number, base: number | undefined): string {
  return base === undefined ? "-" : `${(value / base).toFixed(2)}×`;
}

/** The first `texts` columns are names, all others figures. */
function draw(titles: readonly string[], texts: number, colours: Colours, rows: readonly string[][]): string {
  const table = new Table({
    head: titles.map((title) => colours.bold(title)),
    colAligns: titles.map((_, i) => (i < texts ? "left" : "right")),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    const ours = row.some((cell) => cell.startsWith("optimistic"));
    table.push(row.map((cell) => (ours ? colours.green(cell) : cell)));
  }
  return table.toString();
}
