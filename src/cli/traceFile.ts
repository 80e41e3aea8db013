/**
 * cli/traceFile.ts: what `run --trace` writes: the CPUs' records as a Chrome trace, which Perfetto and chrome://tracing open.
 *
 *   cpu 0   ┌ munmap ───────────────────────┐ ┌ fault write ┐      X: slices of one CPU nest, for it does one thing at a time
 *           │     ┌ shootdown ┐             │
 *           ▾ grace period 12                                      i
 *   C       faults a millisecond by how they were served; IPIs posted
 *
 * Times     ts and dur are microseconds with three decimals: whole nanoseconds, so that what nested still does.
 * Format    docs/trace.md; the Trace Event Format
 */
import { Counter } from "../core/abi/counter.js";
import { Access, Exit } from "../core/abi/exit.js";
import { TraceKind } from "../core/abi/trace.js";
import { callName } from "../run/calls/names.js";
import type { CpuTrace, TraceRecord } from "../run/trace.js";

export interface TraceSetting {
  readonly program: string;
  readonly fault: string;
  readonly tables: string;
  readonly layout: string;
}

interface Event {
  name: string;
  ph: "M" | "X" | "i" | "C";
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  cat?: string;
  s?: "t";
  args?: Record<string, string | number>;
}

const PID = 1;
/** By what the fault returned: abi/exit.ts. */
const OUTCOMES: Readonly<Record<number, string>> = {
  [Exit.None]: "done",
  [Exit.Trap]: "refused",
  [Exit.Io]: "page wanted",
  [Exit.Oom]: "no frame",
};
/** What a call is asked beside address and length. */
const ARGUMENTS: Readonly<Record<string, (record: TraceRecord) => Record<string, string | number>>> = {
  mmap: ({ more, flags, object, last }) => ({ prot: Number(more), flags, object, offset: hex(last) }),
  mremap: ({ more, flags, last }) => ({ new_length: Number(more), flags, new_address: hex(last) }),
  mprotect: ({ more }) => ({ prot: Number(more) }),
  madvise: ({ more }) => ({ advice: Number(more) }),
  msync: ({ more }) => ({ flags: Number(more) }),
  mlock2: ({ more }) => ({ flags: Number(more) }),
};
/** Width of a bar of the counters. */
const STEP_NS = 1_000_000;

export function traceText(all: readonly CpuTrace[], setting: TraceSetting): string {
  const name = `${setting.program}, ${setting.fault} / ${setting.tables} / ${setting.layout}`;
  const events: Event[] = [meta("process_name", 0, { name })];
  for (const { cpu, lost } of all) {
    events.push(
      meta(
        "thread_name",
        cpu,
        lost > 0 ? { name: `cpu ${cpu} (${lost} older records lost)`, lost } : { name: `cpu ${cpu}` },
      ),
    );
    events.push(meta("thread_sort_index", cpu, { sort_index: cpu }));
  }
  const slices = all.flatMap(({ cpu, records }) => records.map((record) => eventOf(cpu, record)));
  // What contains comes before what it contains.
  slices.sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
  const lines = [events, slices, counters(all)]
    .flatMap((some) => some.map((event) => JSON.stringify(event)))
    .join(",\n");
  return `{"displayTimeUnit":"ns","otherData":${JSON.stringify(setting)},"traceEvents":[\n${lines}\n]}\n`;
}

function meta(name: string, tid: number, args: Record<string, string | number>): Event {
  return { name, ph: "M", pid: PID, tid, ts: 0, args };
}

function eventOf(cpu: number, record: TraceRecord): Event {
  const begin = Math.floor(record.beginNs);
  const place = { pid: PID, tid: cpu, ts: begin / 1000 };
  if (record.kind === TraceKind.GracePeriod) {
    return { name: `grace period ${record.extra}`, ph: "i", cat: "rcu", ...place, s: "t" };
  }
  if (record.kind === TraceKind.Thread) {
    const [pid, tid, loaded] = [record.address, record.length, record.extra].map(Number) as [number, number, number];
    const name = loaded === 1 ? `process ${pid} loads a program` : `thread ${tid} of process ${pid}`;
    return { name, ph: "i", cat: "thread", ...place, s: "t", args: { pid, tid, loaded } };
  }
  const dur = Math.floor(record.beginNs + record.ns - begin) / 1000;
  return { ...described(record), ph: "X", ...place, dur };
}

function described(record: TraceRecord): Pick<Event, "name" | "cat" | "args"> {
  const { kind, exit, how, why, address, length, extra } = record;
  const at = hex(address);
  if (kind === TraceKind.Fault) {
    const args = {
      address: at,
      outcome: OUTCOMES[exit] ?? `exit ${exit}`,
      served: counterName(how, "Faults"),
      reason: counterName(why, ""),
      mmap_lock: Number(extra),
    };
    return { name: `fault ${(Access[Number(length)] ?? "?").toLowerCase()}`, cat: "fault", args };
  }
  if (kind === TraceKind.Call) {
    const name = callName(how | (why << 8));
    const args = { address: at, length: Number(length), ...ARGUMENTS[name]?.(record), result: resultText(extra) };
    return { name, cat: "call", args };
  }
  return { name: "shootdown", cat: "tlb", args: { address: at, length: Number(length), ipis: Number(extra) } };
}

/** A counter's name as a reason: SpfAbortPteMapLockSeq1 ─▶ spf_abort_pte_map_lock_seq1. */
function counterName(counter: number, without: string): string {
  if (counter === 0) return "none";
  const name = (Counter[counter] ?? `counter${counter}`).replace(without, "");
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toLowerCase();
}

function resultText(result: bigint): string {
  return result < 0n ? `${result}` : hex(result);
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** Faults by how they were served, and IPIs, in each step of time: a bar stands until the next. */
function counters(all: readonly CpuTrace[]): Event[] {
  const steps = new Map<number, { unlocked: number; locked: number; ipis: number }>();
  for (const { records } of all) {
    for (const { kind, beginNs, extra } of records) {
      if (kind !== TraceKind.Fault && kind !== TraceKind.Shootdown) continue;
      const step = Math.floor(beginNs / STEP_NS);
      const now = steps.get(step) ?? { unlocked: 0, locked: 0, ipis: 0 };
      steps.set(step, now);
      if (!steps.has(step + 1)) steps.set(step + 1, { unlocked: 0, locked: 0, ipis: 0 });
      if (kind === TraceKind.Shootdown) now.ipis += Number(extra);
      else if (extra === 0n) now.unlocked++;
      else now.locked++;
    }
  }
  return [...steps]
    .sort(([a], [b]) => a - b)
    .flatMap(([step, { unlocked, locked, ipis }]): Event[] => {
      const place = { ph: "C", pid: PID, tid: 0, ts: (step * STEP_NS) / 1000 } as const;
      return [
        { name: "faults / ms", ...place, args: { unlocked, locked } },
        { name: "IPIs / ms", ...place, args: { ipis } },
      ];
    });
}
