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

export function columns(trace: Trace, lanes: readonly Lane[], spans: readonly Span[], sites: readonly Site[]): string {
  const actors = lanes.filter((lane) => !lane.actor);
  const rows: string[] = [];
  const put = (lane: Lane, text: string) => {
    const cells = actors.map((actor) => (actor.cpuIndex === lane.cpuIndex ? text : "").padEnd(WIDTH).slice(0, WIDTH));
    rows.push(cells.join("│ ").trimEnd());
  };
  const starts = edges(spans, (span) => span.begin);
  const ends = edges(spans, (span) => span.end);
  let from = 0;
  const flush = (upTo: number) => {
    const begin = upTo > from && trace.eventAt(from).kind === Mark.Begin && !lanes[trace.laneAt(from)].actor;
    if (begin) from++;
    if (upTo > from) put(lanes[trace.laneAt(from)], summary(trace, from, upTo, lanes, sites));
    from = upTo;
  };
  for (let i = 0; i <= trace.length; i++) {
    const ended = ends.get(i) ?? [];
    const begun = starts.get(i) ?? [];
    const switched = i < trace.length && trace.laneAt(i) !== trace.laneAt(from);
    if (switched || ended.length + begun.length > 0 || i === trace.length) flush(i);
    for (const span of ended) put(span.lane, `} = ${span.result}`);
    for (const span of begun) put(span.lane, `${span.text} {`);
  }
  const head = actors
    .map((actor) => actor.name.padEnd(WIDTH))
    .join("│ ")
    .trimEnd();
  const cut = rows.length > ROWS ? [`… ${rows.length - ROWS} rows before`] : [];
  return [head, ...cut, ...rows.slice(-ROWS)].join("\n");
}

function edges(spans: readonly Span[], place: (span: Span) => number | undefined): Map<number, Span[]> {
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
