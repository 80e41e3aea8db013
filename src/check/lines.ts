/**
 * The 64-byte lines of memory that each CPU wrote in one execution: what CPUs take out of each other's caches.
 *
 * An atomic read-modify-write counts whether or not it changed anything: it takes the line all the same. The interrupts of
 * an actor's CPU count as its own.
 */
import { mayWrite } from "./event.js";
import type { Lane } from "./lane.js";
import type { Trace } from "./trace.js";

const LINE = 64;

/** For each CPU, the first bytes of its lines, of the events [from, trace.length). */
export function linesWritten(trace: Trace, lanes: readonly Lane[], from = 0): ReadonlySet<number>[] {
  const lines = lanes.filter((lane) => !lane.actor).map(() => new Set<number>());
  for (let i = from; i < trace.length; i++) {
    const { kind, address, width } = trace.eventAt(i);
    if (!mayWrite(kind)) continue;
    const own = lines[lanes[trace.laneAt(i)].cpuIndex];
    for (let at = address - (address % LINE); at < address + width; at += LINE) own.add(at);
  }
  return lines;
}

/** The lines that more than one CPU wrote, in order. */
export function sharedLines(lines: readonly ReadonlySet<number>[]): number[] {
  const all = new Set(lines.flatMap((own) => [...own]));
  return [...all].filter((line) => lines.filter((own) => own.has(line)).length > 1).sort((a, b) => a - b);
}
