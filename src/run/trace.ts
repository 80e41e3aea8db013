/**
 * run/trace.ts: the rings of `--trace`: where they lie, and what they hold when the machine has stopped.
 *
 *   memory   │ the machine's own, as booted │ ring of CPU 0 │ ring of CPU 1 │ … │     untouched rings cost nothing
 *
 * Promise   records of one CPU in the order in which they ended, the oldest first; what was overwritten is counted as lost.
 */
import { TraceField } from "../core/abi/trace.js";
import type { Core } from "./core.js";

/** A power of two. */
export const TRACE_RECORDS = 16384;
const RING_BYTES = TRACE_RECORDS * TraceField.Bytes;

export interface TraceRecord {
  readonly kind: number;
  readonly beginNs: number;
  readonly ns: number;
  readonly exit: number;
  readonly how: number;
  readonly why: number;
  readonly address: bigint;
  readonly length: bigint;
  readonly extra: bigint;
  /** Of a call only. */
  readonly more: bigint;
  readonly last: bigint;
  readonly flags: number;
  readonly object: number;
}

export interface CpuTrace {
  readonly cpu: number;
  readonly records: readonly TraceRecord[];
  /** Records that newer ones took the places of. */
  readonly lost: number;
}

export function traceBytes(cpus: number): number {
  return cpus * RING_BYTES;
}

/** Gives every CPU its ring, from `base` on. Before any is online. */
export function startTrace(core: Core, cpus: number, base: number): void {
  for (let i = 0; i < cpus; i++) core.traceOn(core.cpuArea(i), base + i * RING_BYTES, TRACE_RECORDS);
}

/** Of those CPUs that have anything to tell. Nothing may run any more. */
export function readTrace(core: Core, cpus: number, base: number, memory: WebAssembly.Memory): CpuTrace[] {
  const all: CpuTrace[] = [];
  for (let cpu = 0; cpu < cpus; cpu++) {
    const count = Number(core.traceCount(core.cpuArea(cpu)));
    if (count === 0) continue;
    const ring = new DataView(memory.buffer, base + cpu * RING_BYTES, RING_BYTES);
    const lost = Math.max(0, count - TRACE_RECORDS);
    const records = Array.from({ length: count - lost }, (_, i) => recordAt(ring, (lost + i) % TRACE_RECORDS));
    all.push({ cpu, records, lost });
  }
  return all;
}

function recordAt(ring: DataView, place: number): TraceRecord {
  const at = place * TraceField.Bytes;
  return {
    beginNs: ring.getFloat64(at + TraceField.Begin, true),
    ns: ring.getUint32(at + TraceField.Ns, true),
    kind: ring.getUint8(at + TraceField.Kind),
    exit: ring.getUint8(at + TraceField.Exit),
    how: ring.getUint8(at + TraceField.How),
    why: ring.getUint8(at + TraceField.Why),
    address: ring.getBigUint64(at + TraceField.Address, true),
    length: ring.getBigUint64(at + TraceField.Length, true),
    extra: ring.getBigInt64(at + TraceField.Extra, true),
    more: ring.getBigUint64(at + TraceField.More, true),
    last: ring.getBigUint64(at + TraceField.Last, true),
    flags: ring.getUint32(at + TraceField.Flags, true),
    object: ring.getUint32(at + TraceField.Object, true),
  };
}
