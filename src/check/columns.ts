/**
 * A failure for people: time down, one column an actor.
 *
 *   actor 0                          │ actor 1
 *   write 5000 7 {                   │
 *     9 × fill … find                │
 *                                    │ unmap 5000+1 {
 *                                    │   412 × sysMunmap … takeFlush
 *     AtomicStore 0x1f018 install    │
 *   } = 0                            │
 *
 * Events of one lane in a row are one line: how many, where the first and the last were. An interrupt is drawn in its
 * actor's column, between angle brackets.
 */
import { isMark, kindName, Mark, type Site } from "./event.js";
import type { Lane } from "./lane.js";
import type { Trace } from "./trace.js";

/** One operation as it went. `begin` and `end` are places in the trace; `end` is undefined while it has not returned. */
export interface Span {
  lane: Lane;
  text: string;
  begin: number;
  end: number | undefined;
  result: number | undefined;
}

const WIDTH = 46;
/** Rows kept: the end of the story is what matters. */
const ROWS = 120;

/** One line of one lane. */
export interface Row {
  lane: Lane;
  text: string;
}

/** The outline of an execution, as it is known without running it again (report.ts does). */
export function columns(trace: Trace, lanes: readonly Lane[], spans: readonly Span[], sites: readonly Site[]): string {
  const rows: Row[] = [];
  const starts = edges(spans, (span) => span.begin);
  const ends = edges(spans, (span) => span.end);
  let from = 0;
  const flush = (upTo: number) => {
    const begin = upTo > from && trace.eventAt(from).kind === Mark.Begin && !lanes[trace.laneAt(from)].actor;
    if (begin) from++;
    if (upTo > from) rows.push({ lane: lanes[trace.laneAt(from)], text: summary(trace, from, upTo, lanes, sites) });
    from = upTo;
  };
  for (let i = 0; i <= trace.length; i++) {
    const ended = ends.get(i) ?? [];
    const begun = starts.get(i) ?? [];
    const switched = i < trace.length && trace.laneAt(i) !== trace.laneAt(from);
    if (switched || ended.length + begun.length > 0 || i === trace.length) flush(i);
    for (const { lane, result } of ended) rows.push({ lane, text: `} = ${result}` });
    for (const { lane, text } of begun) rows.push({ lane, text: `${text} {` });
  }
  return drawn(
    lanes,
    rows,
    actorsOf(lanes).map(() => WIDTH),
    ROWS,
  );
}

/**
 * Rows side by side, a column for each actor; of more than `most` rows, the last. `widths`: characters of each column but the
 * last, which nothing stands beside.
 */
export function drawn(lanes: readonly Lane[], rows: readonly Row[], widths: readonly number[], most: number): string {
  const actors = actorsOf(lanes);
  const fitted = (cell: string, i: number) => {
    if (i === actors.length - 1) return cell;
    return cell.length > widths[i] ? `${cell.slice(0, widths[i] - 2)}… ` : cell.padEnd(widths[i]);
  };
  const line = (cells: readonly string[]) => cells.map(fitted).join("│ ").trimEnd();
  const head = line(actors.map(({ name }) => name));
  const cut = rows.length > most ? [`… ${rows.length - most} rows before`] : [];
  const told = rows
    .slice(-most)
    .map(({ lane, text }) => line(actors.map(({ cpuIndex }) => (cpuIndex === lane.cpuIndex ? text : ""))));
  return [head, ...cut, ...told].join("\n");
}

/** As wide as each column's longest row, the widest cut until all fit into `total`, none below `least`. */
export function widthsOf(lanes: readonly Lane[], rows: readonly Row[], total: number, least: number): number[] {
  const widths = actorsOf(lanes).map(({ cpuIndex, name }) => {
    const own = rows.filter(({ lane }) => lane.cpuIndex === cpuIndex);
    return Math.max(name.length, ...own.map(({ text }) => text.length)) + 1;
  });
  const sum = () => widths.reduce((all, width) => all + width, 0);
  while (sum() > total && Math.max(...widths) > least) widths[widths.indexOf(Math.max(...widths))]--;
  return widths;
}

function actorsOf(lanes: readonly Lane[]): Lane[] {
  return lanes.filter(({ actor }) => !actor);
}

export function edges(spans: readonly Span[], place: (span: Span) => number | undefined): Map<number, Span[]> {
  const found = new Map<number, Span[]>();
  for (const span of spans) {
    const at = place(span);
    if (at !== undefined) found.set(at, [...(found.get(at) ?? []), span]);
  }
  return found;
}

function summary(trace: Trace, from: number, upTo: number, lanes: readonly Lane[], sites: readonly Site[]): string {
  const interrupt = lanes[trace.laneAt(from)].actor !== undefined;
  const first = place(trace, from, sites);
  const last = place(trace, upTo - 1, sites);
  const count = upTo - from;
  const line = count === 1 ? first : first === last ? `${count} × ${first}` : `${count} × ${first} … ${last}`;
  return interrupt ? `  < ${line} >` : `  ${line}`;
}

function place(trace: Trace, i: number, sites: readonly Site[]): string {
  const { kind, site } = trace.eventAt(i);
  if (isMark(kind)) return kindName(kind);
  return `${sites[site].function.split("/").at(-1)} ${sites[site].instruction}`;
}
