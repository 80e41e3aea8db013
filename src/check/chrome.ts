/**
 * An execution as a Chrome trace, which Perfetto and chrome://tracing open: one track a lane, one step a microsecond.
 *
 *   actor 0   ┌ write 40200000 7 ──────────────────────────────────┐   B … E   an operation
 *             │ ┌ walkTo ┐┌ lookup ┐            ┌ walkTo ┐         │   X       steps in a row of one lane in one function
 *   irq 0     │           ┌ interrupt ┐                            │   B … E
 *
 * Rules     begin, end and complete slices of one track nest: a run of steps is cut where an operation begins or ends. An
 *           operation that never returned ends with the execution. Instants: each switch, and the violation at the end.
 * Format    Trace Event Format (the JSON one). `ts` and `dur` are microseconds.
 */
import type { Span } from "./columns.js";
import type { Site } from "./event.js";
import { kindName, Mark } from "./event.js";
import type { Lane } from "./lane.js";
import type { Trace } from "./trace.js";

export interface TraceEvent {
  name: string;
  ph: "M" | "B" | "E" | "X" | "i";
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  cat?: string;
  s?: "t" | "g";
  args?: Record<string, string | number>;
}

export interface ChromeTrace {
  traceEvents: TraceEvent[];
  displayTimeUnit: "ns";
}

const PID = 1;

/** What one execution is: `violation` is what it broke, if it broke anything. */
export interface Execution {
  title: string;
  trace: Trace;
  lanes: readonly Lane[];
  spans: readonly Span[];
  sites: readonly Site[];
  violation: string | undefined;
}

export function chromeTrace({ title, trace, lanes, spans, sites, violation }: Execution): ChromeTrace {
  const events: TraceEvent[] = [meta("process_name", 0, { name: title })];
  for (const { id, name, cpuIndex, actor } of lanes) {
    events.push(meta("thread_name", id, { name }));
    events.push(meta("thread_sort_index", id, { sort_index: 2 * cpuIndex + (actor ? 1 : 0) }));
  }
  for (const lane of lanes) events.push(...slices(lane, trace, spans, sites));
  for (let i = 1; i < trace.length; i++) {
    const tid = trace.laneAt(i);
    if (tid !== trace.laneAt(i - 1)) events.push({ name: "switch", ph: "i", pid: PID, tid, ts: i, s: "t" });
  }
  if (violation !== undefined) {
    const tid = trace.length > 0 ? trace.laneAt(trace.length - 1) : 0;
    events.push({ name: violation, ph: "i", pid: PID, tid, ts: trace.length, s: "g" });
  }
  return { traceEvents: events, displayTimeUnit: "ns" };
}

function meta(name: string, tid: number, args: Record<string, string | number>): TraceEvent {
  return { name, ph: "M", pid: PID, tid, ts: 0, args };
}

/** One track, in the order of time; at one moment what ends comes before what begins. */
function slices(lane: Lane, trace: Trace, spans: readonly Span[], sites: readonly Site[]): TraceEvent[] {
  const events: TraceEvent[] = [];
  const outer = lane.actor ? interrupts(lane, trace) : spans.filter((span) => span.lane === lane);
  for (const [k, span] of outer.entries()) {
    const end = span.end ?? trace.length;
    const next = outer[k + 1]?.begin ?? trace.length;
    const upTo = Math.min(end, next);
    const args = span.result === undefined ? undefined : { result: span.result };
    events.push({ name: span.text, cat: "operation", ph: "B", pid: PID, tid: lane.id, ts: span.begin });
    events.push(...runs(lane, trace, span.begin, upTo, sites));
    events.push({ name: span.text, cat: "operation", ph: "E", pid: PID, tid: lane.id, ts: upTo, args });
  }
  return events;
}

type Outer = Pick<Span, "text" | "begin" | "end" | "result">;

/** Each interrupt from its beginning to its last event. */
function interrupts(lane: Lane, trace: Trace): Outer[] {
  const found: Outer[] = [];
  for (let i = 0; i < trace.length; i++) {
    if (trace.laneAt(i) !== lane.id) continue;
    if (trace.eventAt(i).kind === Mark.Begin)
      found.push({ text: "interrupt", begin: i, end: i + 1, result: undefined });
    else found[found.length - 1].end = i + 1;
  }
  return found;
}

function* runs(lane: Lane, trace: Trace, from: number, upTo: number, sites: readonly Site[]): Generator<TraceEvent> {
  let open: TraceEvent | undefined;
  for (let i = from; i < upTo; i++) {
    const name = trace.laneAt(i) === lane.id ? nameAt(trace, i, sites) : undefined;
    if (open && open.name === name) {
      open.dur!++;
      continue;
    }
    if (open) yield open;
    open = name === undefined ? undefined : { name, cat: "steps", ph: "X", pid: PID, tid: lane.id, ts: i, dur: 1 };
  }
  if (open) yield open;
}

function nameAt(trace: Trace, i: number, sites: readonly Site[]): string {
  const { kind, site } = trace.eventAt(i);
  return kind < Mark.Begin ? sites[site].function : kindName(kind);
}
