/**
 * bench/pretouch.ts: what it is worth to touch the entry before its table's lock is taken, where threads share tables.
 *
 *   shared   one region of a single table: of n threads each touches every n-th page, so that they share the table's lock and,
 *            up to eight of them, each line of its entries. With tables of their own there is nothing to gain
 *
 * How        a memory for each policy and pretouch; samples go round the pretouches of a policy, so that a noisy neighbour
 *            disturbs all alike. The gain is the median of the ratios of neighbours: each sample by that of none right before it.
 */
import { type Policy, Pretouch } from "../core/abi/mman.js";
import { Group, POLICIES } from "./fault.js";
import { quartiles, type Spread } from "./median.js";

/** What one leaf table maps. */
const PAGES = 512;
const WASM_PAGES = 1024;

/** Faults a second over all threads. */
export interface PretouchRow extends Spread {
  readonly name: string;
  readonly tables: string;
  readonly pretouch: string;
  readonly threads: number;
  /** By none, and the middle half; of none itself 1. */
  readonly gain: Spread;
  /** That the gain is of: one in which threads never were at work together has no rate. */
  readonly samples: number;
}

export interface PretouchOptions {
  readonly threads: readonly number[];
  readonly tables: readonly string[];
  /** By name; none is always measured, first. */
  readonly pretouches: ReadonlyArray<readonly [string, Pretouch]>;
  readonly samples: number;
  readonly milliseconds: number;
  /** Folder of the built worker; the core lies one above. */
  readonly directory: URL;
  readonly progress: (text: string) => void;
  readonly stopped: () => boolean;
}

export async function benchPretouch(options: PretouchOptions): Promise<PretouchRow[]> {
  const rows: PretouchRow[] = [];
  for (const tables of options.tables)
    for (const policy of POLICIES) if (!options.stopped()) rows.push(...(await rowsOf(policy, tables, options)));
  return rows;
}

async function rowsOf(
  [name, policy]: readonly [string, Policy],
  tables: string,
  options: PretouchOptions,
): Promise<PretouchRow[]> {
  const { threads, samples, milliseconds, directory, progress, stopped } = options;
  const asked = options.pretouches.filter(([, pretouch]) => pretouch !== Pretouch.None);
  const most = Math.max(...threads);
  const groups = ([["none", Pretouch.None], ...asked] as const).map(
    ([kind, pretouch]) => [kind, new Group(name, policy, tables, most, directory, WASM_PAGES, pretouch)] as const,
  );
  const rows: PretouchRow[] = [];
  try {
    for (const n of threads) {
      const rates = groups.map(() => [] as number[]);
      for (let sample = 0; sample < samples && !stopped(); sample++) {
        progress(`pretouch: ${name}, ${tables}, ${n} threads, sample ${sample + 1} of ${samples}`);
        for (const [i, [, group]] of groups.entries())
          rates[i]!.push(await group.sample({ kind: "shared", pages: PAGES, milliseconds, threads: n }));
      }
      for (const [i, [pretouch]] of groups.entries()) {
        const gains = rates[i]!.map((rate, sample) => rate / rates[0]![sample]!).filter(Number.isFinite);
        if (gains.length === 0) continue;
        const spread = quartiles(rates[i]!.filter(Number.isFinite));
        rows.push({ name, tables, pretouch, threads: n, ...spread, gain: quartiles(gains), samples: gains.length });
      }
    }
  } finally {
    for (const [, group] of groups) group.close();
  }
  return rows;
}
