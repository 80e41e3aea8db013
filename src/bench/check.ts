/**
 * bench/check.ts: how fast the checker is on one core, and beside spin on an equal model.
 *
 *   core     steps, executions and context switches a second over the hooked core, the oracle looking on
 *            straight on: no lane is left while it can go on;  every step: left after each;  random walk;  exhaustive
 *   model    a protocol of a few lines (model.ts, models/spinlock.pml): what each explores in a second, and how long all takes
 *
 * How        samples go round the rows in turn; medians, and the middle half. A step is one access, marker or edge that took
 *            effect, also on the way back to a place that was seen.
 * Beside     spin, where it and gcc are installed: else the row is missing, and a line says so. Its step is a state stored.
 */
import type { ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Checker } from "../check/checker.js";
import { Exhaustive } from "../check/exhaustive.js";
import type { CoreBuild } from "../check/hooked.js";
import type { Lane } from "../check/lane.js";
import { RandomWalk } from "../check/random.js";
import { scenario } from "../check/scenarios/index.js";
import type { Strategy } from "../check/strategy.js";
import { Layout, Policy, Tables } from "../core/abi/mman.js";
import { runChild } from "./child.js";
import { quartiles, Samples, type Spread } from "./median.js";
import { exploreModel, LARGE, type Size, SMALL } from "./model.js";

const SCENARIO = "fault-munmap";
const LIMIT_MS = 60_000;

export interface CoreRow {
  readonly name: string;
  readonly steps: Spread;
  readonly executions: Spread;
  readonly switches: Spread;
}

export interface ModelRow {
  readonly name: string;
  readonly size: Size;
  /** Steps a second; of spin, states stored. */
  readonly steps: Spread;
  /** Until all is explored: steps or states, and executions where there are any. */
  readonly total: number;
  readonly executions: number | undefined;
  readonly ms: Spread;
}

export interface CheckBench {
  readonly core: readonly CoreRow[];
  readonly model: readonly ModelRow[];
}

export interface CheckOptions {
  readonly root: string;
  readonly samples: number;
  readonly milliseconds: number;
  readonly progress: (text: string) => void;
  readonly complain: (line: string) => void;
  readonly adopt: (child: ChildProcess) => void;
  readonly stopped: () => boolean;
}

export async function benchCheck(options: CheckOptions): Promise<CheckBench> {
  return { core: await coreRows(options), model: await modelRows(options) };
}

/** Never leaves a lane that can go on. */
class Straight implements Strategy {
  readonly claim = "one execution";
  begin(): void {}
  carriesOn(): boolean {
    return true;
  }
  choose(enabled: readonly Lane[], last: Lane | undefined): Lane {
    return last && enabled.includes(last) ? last : enabled[0];
  }
}

/** Goes round the lanes that can go on, a step each. */
class EveryStep implements Strategy {
  readonly claim = "one execution";
  begin(): void {}
  choose(enabled: readonly Lane[], last: Lane | undefined): Lane {
    return enabled.find(({ id }) => last !== undefined && id > last.id) ?? enabled[0];
  }
}

const WAYS: Readonly<Record<string, (checker: Checker, n: number) => Strategy>> = {
  "straight on": () => new Straight(),
  "every step": () => new EveryStep(),
  "random walk": (_checker, n) => new RandomWalk(n),
  exhaustive: ({ system }) => new Exhaustive(system),
};

async function coreRows({ root, samples, milliseconds, progress, stopped }: CheckOptions): Promise<CoreRow[]> {
  const build = shipped(root);
  const [steps, executions, switches] = [new Samples(), new Samples(), new Samples()];
  for (let sample = 0; sample < samples && !stopped(); sample++) {
    progress(`check: ${SCENARIO}, sample ${sample + 1} of ${samples}`);
    for (const [name, make] of Object.entries(WAYS)) {
      await breath();
      if (stopped()) break;
      const checker = new Checker(build, scenario(SCENARIO), Policy.Optimistic, Tables.Rcu, Layout.Page);
      const seconds = drive(checker, make, milliseconds) / 1000;
      steps.note(name, checker.figures.events / seconds);
      executions.note(name, checker.executions / seconds);
      switches.note(name, checker.figures.switches / seconds);
    }
  }
  const [second, third] = [executions.rows(), switches.rows()];
  return steps
    .rows()
    .map(([name, spread], i) => ({ name, steps: spread, executions: second[i][1], switches: third[i][1] }));
}

/** Executions for so long; returns how long. A random walk is made anew for each, the others are not. */
function drive(checker: Checker, make: (checker: Checker, n: number) => Strategy, milliseconds: number): number {
  const from = performance.now();
  let strategy = make(checker, 1);
  let ms = 0;
  while (ms < milliseconds) {
    const failure = checker.run(strategy);
    if (failure) throw new Error(`bench: ${failure.text}`);
    if (strategy.more?.() === false) break;
    if (strategy instanceof RandomWalk) strategy = make(checker, checker.executions + 1);
    ms = performance.now() - from;
  }
  return ms;
}

async function modelRows(options: CheckOptions): Promise<ModelRow[]> {
  const { samples, progress, stopped } = options;
  const folder = mkdtempSync(join(tmpdir(), "faultline-spin-"));
  const rows: ModelRow[] = [];
  try {
    progress("check: the model, ours");
    const ours = await repeat(samples, stopped, async () => exploreModel(SMALL, stopped));
    const [first] = ours;
    if (first) {
      const { steps: total, executions } = first;
      const steps = quartiles(ours.map(({ steps, ms }) => (steps * 1000) / ms));
      rows.push({ name: "ours", size: SMALL, steps, total, executions, ms: quartiles(ours.map(({ ms }) => ms)) });
    }
    for (const size of [SMALL, LARGE]) {
      progress("check: the model, spin");
      const row = await spinRow(size, folder, options);
      if (typeof row === "string") {
        options.complain(`no row for spin: ${row}`);
        break;
      }
      if (row) rows.push(row);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}

/** A row, undefined when stopped, or why there is none. */
async function spinRow(size: Size, folder: string, options: CheckOptions): Promise<ModelRow | string | undefined> {
  const { root, samples, stopped, adopt } = options;
  const at = join(folder, `${size.lockers}-${size.rounds}`);
  cpSync(join(root, "src/bench/models"), at, { recursive: true });
  const sizes = `-DLOCKERS=${size.lockers} -DROUNDS=${size.rounds} -DREADS=${size.reads}`;
  const make = `cd '${at}' && spin -a ${sizes} spinlock.pml && gcc -O2 -DSAFETY -o pan pan.c`;
  const made = await runChild(["sh", "-c", make], LIMIT_MS, adopt);
  if (stopped()) return undefined;
  if (made.status !== 0) return made.complaint;
  const runs = await repeat(samples, stopped, async () => {
    const from = performance.now();
    const { status, output } = await runChild(["sh", "-c", `cd '${at}' && exec ./pan -m1000000`], LIMIT_MS, adopt);
    const states = Number(/^ *([\d.e+]+) states, stored/m.exec(output)?.[1]);
    return status === 0 && / errors: 0$/m.test(output) ? { states, ms: performance.now() - from } : undefined;
  });
  const [first] = runs;
  if (!first) return stopped() ? undefined : "it did not finish";
  const steps = quartiles(runs.map(({ states, ms }) => (states * 1000) / ms));
  const ms = quartiles(runs.map((run) => run.ms));
  return { name: "spin", size, steps, total: first.states, executions: undefined, ms };
}

/** Samples that came to an end. */
async function repeat<T>(n: number, stopped: () => boolean, once: () => Promise<T | undefined>): Promise<T[]> {
  const all: T[] = [];
  for (let i = 0; i < n && !stopped(); i++) {
    await breath();
    const one = await once();
    if (one !== undefined && !stopped()) all.push(one);
  }
  return all;
}

/** Lets a signal be heard. */
function breath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function shipped(root: string): CoreBuild {
  const read = (name: string) => readFileSync(join(root, "build", name)) as Buffer<ArrayBuffer>;
  const [hooked, core] = ["hooked.wasm", "core.wasm"].map((name) => new WebAssembly.Module(read(name)));
  return { hooked, core, sites: JSON.parse(read("sites.json").toString()) };
}
