/**
 * bench/storm.ts: the guest fault storm under each policy, native and under qemu-user, with no mutator, one far away and
 * one next door.
 *
 * How       samples go round all contenders in turn, so that a noisy neighbour disturbs all alike; medians, and the middle
 *           half. Each run is a process of its own, started anew; the rate is the storm's own, from its common start.
 */
import type { ChildProcess } from "node:child_process";
import { type Contender, run } from "./contender.js";
import { Samples, type Spread } from "./median.js";

/** Touches a second over all storm threads. */
export interface StormRow extends Spread {
  readonly name: string;
  readonly threads: number;
  readonly mutator: string;
}

export interface StormOptions {
  readonly contenders: readonly Contender[];
  readonly threads: readonly number[];
  readonly samples: number;
  readonly milliseconds: number;
  readonly progress: (text: string) => void;
  readonly complain: (line: string) => void;
  readonly adopt: (child: ChildProcess) => void;
  readonly stopped: () => boolean;
}

export const MUTATORS = ["none", "far", "near"];
const PAGES = 2048;

export async function benchStorm(options: StormOptions): Promise<StormRow[]> {
  const { contenders, threads, samples, milliseconds, progress, complain, adopt, stopped } = options;
  const rows: StormRow[] = [];
  const seconds = (milliseconds / 1000).toFixed(1);
  for (const n of threads) {
    for (const mutator of MUTATORS) {
      const seen = new Samples();
      for (let sample = 0; sample < samples && !stopped(); sample++) {
        for (const contender of contenders) {
          if (stopped()) break;
          progress(`storm: ${n} threads, mutator ${mutator}, ${contender.name}, sample ${sample + 1} of ${samples}`);
          const args = ["-t", `${n}`, "-m", mutator, "-s", seconds, "-p", `${PAGES}`];
          const output = await run(contender, "storm", args, adopt, stopped() ? () => {} : complain);
          const rate = /^total faults=\d+ ns=\d+ rate=(\d+) errors=0$/m.exec(output ?? "")?.[1];
          if (rate !== undefined) seen.note(contender.name, Number(rate));
        }
      }
      for (const [name, spread] of seen.rows()) rows.push({ name, threads: n, mutator, ...spread });
    }
  }
  return rows;
}
