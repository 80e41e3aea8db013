/**
 * bench/guest.ts: instructions a second of three small computations (guest/compute.c), beside qemu-user and native.
 *
 * How       equal work: each contender runs the same rounds and must print the same check. The program times itself, so
 *           start-up is in none of the figures. The number of instructions is the guest's own, retired by Faultline; for
 *           the rivals it stands for the work, since their own instructions are others.
 */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Contender, ours, run } from "./contender.js";
import { Samples, type Spread } from "./median.js";

/** Guest instructions of that work a second. */
export interface GuestRow extends Spread {
  readonly name: string;
  readonly program: string;
}

export interface GuestOptions {
  readonly root: string;
  readonly rivals: readonly Contender[];
  readonly samples: number;
  /** How much of the programs' own rounds: 1 is one to two seconds interpreted. */
  readonly share: number;
  readonly progress: (text: string) => void;
  readonly complain: (line: string) => void;
  readonly adopt: (child: ChildProcess) => void;
  readonly stopped: () => boolean;
}

const ROUNDS: Readonly<Record<string, number>> = { integer: 20_000_000, memory: 120, float: 12_000_000 };

export async function benchGuest(options: GuestOptions): Promise<GuestRow[]> {
  const { root, rivals, samples, share, progress, complain, adopt, stopped } = options;
  const folder = mkdtempSync(join(tmpdir(), "faultline-guest-"));
  const statsFile = join(folder, "stats.json");
  const contenders = [ours(root, "faultline", ["--stats-json", statsFile]), ...rivals];
  const rows: GuestRow[] = [];
  try {
    for (const [program, rounds] of Object.entries(ROUNDS)) {
      const seen = new Samples();
      let work = Number.NaN;
      let wanted: string | undefined;
      for (let sample = 0; sample < samples && !stopped(); sample++) {
        for (const contender of contenders) {
          if (stopped()) break;
          progress(`guest: ${program}, ${contender.name}, sample ${sample + 1} of ${samples}`);
          const args = [program, "-n", `${Math.max(1, Math.round(rounds * share))}`];
          const output = await run(contender, "compute", args, adopt, stopped() ? () => {} : complain);
          const [, check, ns] = / check=(0x[0-9a-f]+) ns=(\d+)$/m.exec(output ?? "") ?? [];
          if (contender.name === "faultline" && check !== undefined) {
            work = (JSON.parse(readFileSync(statsFile, "utf8")) as { instructions: number }).instructions;
            wanted = check;
          }
          if (check === undefined) continue;
          if (check !== wanted)
            complain(`${contender.name}: ${program}: check ${check}, where Faultline has ${wanted}`);
          else seen.note(contender.name, (work * 1e9) / Number(ns));
        }
      }
      for (const [name, spread] of seen.rows()) rows.push({ name, program, ...spread });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}
