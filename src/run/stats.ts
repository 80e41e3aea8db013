/**
 * run/stats.ts: what a run did, summed over its CPUs: the schema of `--stats-json`.
 *
 * Counters that a system does not have are left out, never zero for "not measured". Latency is sampled by the core.
 */
import { Counter } from "../core/abi/counter.js";
import { callName } from "./calls/names.js";
import type { Core } from "./core.js";

export interface MachineStats {
  readonly faults: {
    readonly total: number;
    readonly anon: number;
    readonly file: number;
    readonly cow: number;
    readonly spurious: number;
    readonly locked: number;
  };
  readonly optimistic: {
    readonly attempt: number;
    readonly retry: number;
    readonly fallback: number;
    /** Which check under the table's lock failed: VMA replaced, table unlinked, entry changed. */
    readonly retry_reason: { readonly detached: number; readonly dead: number; readonly entry: number };
  };
  /** Zero under the other policies. Reasons as the 2021 patchset names them, less those that cannot occur here. */
  readonly spf: {
    readonly attempt: number;
    readonly abort: number;
    readonly abort_reason: Readonly<Record<(typeof SPF_ABORTS)[number] | "fault", number>>;
    readonly attempt_kind: { readonly anon: number; readonly file: number; readonly pte: number; readonly wp: number };
  };
  readonly vma_lock: {
    readonly success: number;
    readonly abort: number;
    readonly retry: number;
    readonly miss: number;
  };
  readonly latency_ns: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly tlb: { readonly shootdowns: number; readonly ipis: number };
  readonly tables: { readonly allocated: number; readonly freed: number; readonly deferred: number };
  readonly rcu: { readonly grace_periods: number };
  readonly unknown_calls: Readonly<Record<string, number>>;
  readonly wall_ms: number;
  readonly instructions: number;
}

/** From Counter.SpfAbortOdd on, in this order. */
const SPF_ABORTS = [
  "odd",
  "unmapped",
  "no_speculate",
  "vma_copy",
  "access_error",
  "pud",
  "pmd",
  "anon_vma",
  "pte_map_lock_seq1",
  "pte_map_lock_pmd",
  "pte_map_lock_ptl",
  "pte_map_lock_seq2",
] as const;

const BUCKETS = Counter.LatencyEnd - Counter.LatencyBuckets;

export function collectStats(core: Core, cpus: number, unknown: Uint32Array, wallNs: number): MachineStats {
  const totals = new Array<number>(Counter.Count).fill(0);
  let instructions = 0;
  let longest = 0;
  for (let i = 0; i < cpus; i++) {
    const cpu = core.cpuArea(i);
    for (let c = 0; c < Counter.Count; c++) totals[c] = (totals[c] as number) + Number(core.counter(cpu, c));
    longest = Math.max(longest, Number(core.counter(cpu, Counter.LatencyMax)));
    instructions += Number(core.instructions(cpu) + core.retiredBefore(i));
  }
  const of = (counter: Counter): number => totals[counter] as number;
  return {
    faults: {
      total: of(Counter.Faults),
      anon: of(Counter.FaultsAnon),
      file: of(Counter.FaultsFile),
      cow: of(Counter.FaultsCow),
      spurious: of(Counter.FaultsSpurious),
      locked: of(Counter.FaultsLocked),
    },
    optimistic: {
      attempt: of(Counter.OptimisticAttempt),
      retry: of(Counter.OptimisticRetry),
      fallback: of(Counter.OptimisticFallback),
      retry_reason: {
        detached: of(Counter.RetryDetached),
        dead: of(Counter.RetryDead),
        entry: of(Counter.RetryEntry),
      },
    },
    spf: {
      attempt: of(Counter.SpfAttempt),
      abort: of(Counter.SpfAbort),
      abort_reason: spfAborts(totals),
      attempt_kind: {
        anon: of(Counter.SpfAttemptAnon),
        file: of(Counter.SpfAttemptFile),
        pte: of(Counter.SpfAttemptPte),
        wp: of(Counter.SpfAttemptWp),
      },
    },
    vma_lock: {
      success: of(Counter.VmaLockSuccess),
      abort: of(Counter.VmaLockAbort),
      retry: of(Counter.VmaLockRetry),
      miss: of(Counter.VmaLockMiss),
    },
    latency_ns: { p50: quantile(totals, 0.5), p99: quantile(totals, 0.99), max: longest },
    tlb: { shootdowns: of(Counter.Shootdowns), ipis: of(Counter.Ipis) },
    tables: {
      allocated: of(Counter.TablesAllocated),
      freed: of(Counter.TablesFreed),
      deferred: of(Counter.TablesDeferred),
    },
    rcu: { grace_periods: of(Counter.GracePeriods) },
    unknown_calls: byName(unknown),
    wall_ms: Math.round(wallNs / 1e3) / 1e3,
    instructions,
  };
}

function spfAborts(totals: readonly number[]): MachineStats["spf"]["abort_reason"] {
  const counts = SPF_ABORTS.map((name, i) => [name, totals[Counter.SpfAbortOdd + i] ?? 0] as const);
  const fault = totals[Counter.SpfAbortFault] ?? 0;
  return { ...(Object.fromEntries(counts) as Record<(typeof SPF_ABORTS)[number], number>), fault };
}

/** Upper edge of the bucket that holds the quantile: four buckets to each power of two, from 16 ns; 0 without samples. */
function quantile(totals: readonly number[], q: number): number {
  const counts = totals.slice(Counter.LatencyBuckets, Counter.LatencyEnd);
  const samples = counts.reduce((sum, n) => sum + n, 0);
  if (samples === 0) return 0;
  let seen = 0;
  const at = counts.findIndex((n) => {
    seen += n;
    return seen >= samples * q;
  });
  return bucketEdge(Math.min(at, BUCKETS - 1));
}

function bucketEdge(bucket: number): number {
  return Math.round(2 ** (4 + (bucket + 1) / 4));
}

function byName(unknown: Uint32Array): Record<string, number> {
  const counts: Record<string, number> = {};
  unknown.forEach((n, nr) => {
    if (n > 0) counts[nr === unknown.length - 1 ? "others" : callName(nr)] = n;
  });
  return counts;
}
