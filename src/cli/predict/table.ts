/** cli/predict/table.ts: the tables of `faultline predict`. */
import Table from "cli-table3";
import { withPretouch } from "../options.js";
import type { coloursFor } from "../terminal.js";
import type { Point } from "./points.js";

type Colours = ReturnType<typeof coloursFor>;

export function pointTable(points: readonly Point[], colours: Colours): string {
  const titles = [
    "workload",
    "policy / tables",
    "CPUs",
    "per s",
    "±",
    "÷ 1 CPU",
    "fault p50",
    "p99",
    "max",
    "IPI p99",
    "irq off p99",
  ];
  return draw(
    titles,
    2,
    colours,
    points.map((point) => {
      const one = points.find((other) => other.cpus === 1 && sameBut(other, point));
      return [
        point.workload,
        nameOf(point),
        `${point.cpus}`,
        millions(point.rate),
        `${((100 * point.error) / point.rate).toFixed(1)} %`,
        one ? (point.rate / one.rate).toFixed(2) : "-",
        ns(point.faults.p50),
        ns(point.faults.p99),
        ns(point.faults.max),
        point.ipis.count > 0 ? ns(point.ipis.p99) : "-",
        point.irqOff.count > 0 ? ns(point.irqOff.p99) : "-",
      ];
    }),
  );
}

/** Of a replay: how long all took, and whether it went as recorded. `one`: CPUs that were recorded, and the accesses that they make. */
export function replayTable(points: readonly Point[], one: number, accesses: number, colours: Colours): string {
  const titles = [
    ...["program", "policy / tables", "CPUs", "elapsed", "faults per s", "±", "accesses", "faulted", "differ"],
    ...["fault p50", "p99", "max", "IPI p99"],
  ];
  const rows = points.map((point) => [
    point.workload,
    nameOf(point),
    `${point.cpus}`,
    ns(point.elapsedNs),
    millions(point.rate),
    `${((100 * point.error) / point.rate).toFixed(1)} %`,
    `${(accesses * point.cpus) / one}`,
    point.faulted.toFixed(0),
    point.differed.toFixed(0),
    ns(point.faults.p50),
    ns(point.faults.p99),
    ns(point.faults.max),
    point.ipis.count > 0 ? ns(point.ipis.p99) : "-",
  ]);
  return draw(titles, 2, colours, rows);
}

/** Where the threads' time went, in hundredths. */
export function spentTable(points: readonly Point[], colours: Colours): string {
  // Only a replay has a program of its own.
  const names = Object.keys(points[0]?.spent ?? {}).filter(
    (name) => name !== "program" || points.some(({ spent }) => spent[name] > 0),
  );
  const titles = ["workload", "policy / tables", "CPUs", ...names.map((name) => `${WORDS[name] ?? name} %`)];
  return draw(
    titles,
    2,
    colours,
    points.map((point) => [
      point.workload,
      nameOf(point),
      `${point.cpus}`,
      ...names.map((name) => (100 * point.spent[name]).toFixed(0)),
    ]),
  );
}

/** Lines a fault touches and writes, the CPU's own apart; memory that waits for grace periods. */
export function footprintTable(points: readonly Point[], colours: Colours): string {
  const titles = [
    "workload",
    "policy / tables",
    "CPUs",
    "lines touched",
    "written",
    "unmap p50",
    "p99",
    "deferred, most",
    "tables deferred per s",
    "held by Linux's RCU",
  ];
  return draw(
    titles,
    2,
    colours,
    points.map((point) => [
      point.workload,
      nameOf(point),
      `${point.cpus}`,
      point.footprint.linesTouched.toFixed(1),
      point.footprint.linesWritten.toFixed(1),
      point.unmaps.count > 0 ? ns(point.unmaps.p50) : "-",
      point.unmaps.count > 0 ? ns(point.unmaps.p99) : "-",
      point.footprint.deferredMost.toFixed(0),
      millions(point.footprint.tablesPerSecond),
      `${(point.footprint.heldBytes / 2 ** 20).toFixed(1)} MiB`,
    ]),
  );
}

const WORDS: Readonly<Record<string, string>> = {
  missLocked: "miss under lock",
  lockWait: "lock wait",
  ipiWait: "IPI wait",
};

export function nameOf({ policy, pretouch, tables, layout }: Point): string {
  const name = `${withPretouch(policy, pretouch)} / ${tables}`;
  return layout === "page" ? name : `${name} / ${layout}`;
}

function sameBut(a: Point, b: Point): boolean {
  return a.workload === b.workload && nameOf(a) === nameOf(b);
}

export function millions(rate: number): string {
  return rate >= 1e6 ? `${(rate / 1e6).toFixed(2)} M` : `${(rate / 1e3).toFixed(0)} k`;
}

export function ns(value: number): string {
  if (value < 10_000) return `${value.toFixed(0)} ns`;
  return value < 10_000_000 ? `${(value / 1e3).toFixed(0)} µs` : `${(value / 1e6).toFixed(0)} ms`;
}

export function draw(titles: readonly string[], left: number, colours: Colours, rows: readonly string[][]): string {
  const table = new Table({
    head: titles.map((title) => colours.bold(title)),
    colAligns: titles.map((_, i) => (i < left ? "left" : "right")),
    style: { head: [], border: [], compact: true },
    chars: NO_LINES,
  });
  table.push(...rows);
  return table.toString();
}

const NO_LINES = Object.fromEntries(
  "top,top-mid,top-left,top-right,bottom,bottom-mid,bottom-left,bottom-right,left,left-mid,mid,mid-mid,right,right-mid"
    .split(",")
    .map((name) => [name, ""])
    .concat([["middle", "  "]]),
);
