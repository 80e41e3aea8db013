/**
 * cli/claims/session.ts: asks of claims, put to the engines: the jobs of `check` and `predict` on their own workers, the lines
 * here, the storm as a child `run`.
 *
 *   asks, each once ─▶ kept answers (cli/kept.ts) ┬─▶ Answers
 *                   └▶ lines ─▶ check ─▶ predict ─▶ runs ─▶ check again ┘      until all are answered, the time is up, or Ctrl-C
 *
 * Why one    engine after the other: each uses every core it is given.
 * Time       check has most of what is left when it begins, and at the end what the others left; what is not answered in time stays
 *            unanswered.
 */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild } from "../../bench/child.js";
import type { Patch } from "../../check/twins/index.js";
import {
  type Answers,
  type Ask,
  type CheckAnswer,
  type CheckAsk,
  keyOf,
  type LinesAnswer,
  type LinesAsk,
  type PointAnswer,
  type PointAsk,
  type RunAnswer,
  type RunAsk,
  Unanswered,
} from "../../claims/claim.js";
import { CORES } from "../../claims/cores.js";
import { measureLines } from "../../claims/measure.js";
import type { ConstantName } from "../../predict/constants.js";
import { withValues } from "../../predict/machine.js";
import { Builds } from "../check/builds.js";
import { type Answer, type Job as CheckJob, jobsOf, type Search, twinJobs } from "../check/job.js";
import { Pool as CheckPool, JobError } from "../check/pool.js";
import { KeptAnswers } from "../kept.js";
import type { Job as PredictJob } from "../predict/job.js";
import { loadMachine } from "../predict/machines.js";
import { type Point, pointsOf } from "../predict/points.js";
import { Pool as PredictPool } from "../predict/pool.js";

export interface Settings {
  readonly root: string;
  /** The folder of the workers' bundles. */
  readonly dist: URL;
  readonly workers: number;
  readonly milliseconds: number;
  /** Answer again what is known. */
  readonly fresh: boolean;
  progress(text: string): void;
  /** Every core with these lines changed, every machine with these constants: to see that verdicts follow. Nothing is kept. */
  readonly patches?: readonly Patch[];
  readonly values?: Partial<Record<ConstantName, number>>;
}

const CHECK_SHARE = 0.6;
const RUN_LIMIT_MS = 60_000;
const LOOK_MS = 500;

export class Session implements Answers {
  readonly #settings: Settings;
  readonly #answers = new Map<string, unknown>();
  readonly #kept = new Set<string>();
  readonly #ends: number;
  /** What was measured on the clock (run) is not kept. */
  readonly #store: KeptAnswers<unknown>;
  readonly #builds: Builds;
  #stop: () => void = () => {};
  #stopped = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#ends = performance.now() + settings.milliseconds;
    this.#builds = new Builds(settings.root);
    const bundles = ["checkworker.js", "predictworker.js", "main.js"].map((name) => new URL(name, settings.dist));
    const of = [join(settings.root, "build/hooked.wasm"), ...bundles].map((file) => readFileSync(file));
    const fresh = settings.fresh || this.#isChanged;
    this.#store = new KeptAnswers(join(settings.root, "build"), "claims.json", "claims: answers", of, fresh);
  }

  get #isChanged(): boolean {
    return this.#settings.patches !== undefined || this.#settings.values !== undefined;
  }

  get interrupted(): boolean {
    return this.#stopped;
  }

  /** What is at work is given up; what is answered stays. */
  stop(): void {
    this.#stopped = true;
    this.#stop();
  }

  check = (ask: CheckAsk): CheckAnswer => this.#answer(ask);
  point = (ask: PointAsk): PointAnswer => this.#answer(ask);
  lines = (ask: LinesAsk): LinesAnswer => this.#answer(ask);
  run = (ask: RunAsk): RunAnswer => this.#answer(ask);

  isAnswered(ask: Ask): boolean {
    return this.#answers.has(keyOf(ask));
  }

  /** The answer is an earlier run's. */
  isKept(ask: Ask): boolean {
    return this.#kept.has(keyOf(ask));
  }

  async ask(asks: readonly Ask[]): Promise<void> {
    const open = this.#open(asks);
    const of = <K extends Ask["kind"]>(kind: K) =>
      open.filter((ask) => ask.kind === kind) as Extract<Ask, { kind: K }>[];
    const others = open.length > of("check").length ? CHECK_SHARE : 1;
    try {
      await this.#lines(of("lines"));
      await this.#checkAll(of("check"), this.#left * others);
      await this.#predict(of("point"));
      for (const ask of of("run")) await this.#run(ask);
      await this.#checkAll(
        of("check").filter((ask) => !this.isAnswered(ask)),
        this.#left,
      );
    } finally {
      if (!this.#isChanged) this.#store.write();
    }
  }

  get #left(): number {
    return this.#ends - performance.now();
  }

  get #over(): boolean {
    return this.#stopped || this.#left <= 0;
  }

  #answer<T>(ask: Ask): T {
    const key = keyOf(ask);
    if (!this.#answers.has(key)) throw new Unanswered(`none to ${key}`);
    return this.#answers.get(key) as T;
  }

  /** Each once, without those whose answers are kept. */
  #open(asks: readonly Ask[]): Ask[] {
    const once = [...new Map(asks.map((ask) => [keyOf(ask), ask])).values()];
    return once.filter((ask) => {
      const known = this.#store.find(this.#question(ask));
      if (known === undefined) return true;
      this.#answers.set(keyOf(ask), known);
      this.#kept.add(keyOf(ask));
      return false;
    });
  }

  #note(ask: Ask, answer: unknown): void {
    this.#answers.set(keyOf(ask), answer);
    if (ask.kind !== "run") this.#store.note(this.#question(ask), answer);
  }

  #question(ask: Ask): unknown {
    return ask.kind === "point" ? [ask, loadMachine(this.#settings.root, ask.machine)] : ask;
  }

  /** One search that the checker itself fails in leaves the others as they are. */
  async #checkAll(asks: readonly CheckAsk[], milliseconds: number): Promise<void> {
    const until = performance.now() + milliseconds;
    for (let left = asks; left.length > 0 && performance.now() < until && !this.#over; ) {
      try {
        await this.#check(left, until - performance.now());
        return;
      } catch (error) {
        if (!(error instanceof JobError) || !error.job) throw error;
        const { twin, scenario } = error.job.subject;
        const broken = left.filter((ask) => (twin ? ask.twin === twin : !ask.twin && ask.scenario === scenario));
        for (const ask of broken) this.#answers.set(keyOf(ask), failedAnswer(ask, error.message));
        left = left.filter((ask) => !this.isAnswered(ask));
      }
    }
  }

  async #check(asks: readonly CheckAsk[], milliseconds: number): Promise<void> {
    const ordered = firstOfEach(asks.map((ask) => ({ ask, job: this.#checkJob(ask) })));
    const jobs = ordered.map(({ job }, index) => ({ ...job, index }));
    let done = 0;
    let cut = false;
    const pool = new CheckPool(jobs, {
      worker: new URL("checkworker.js", this.#settings.dist),
      root: this.#settings.root,
      workers: this.#settings.workers,
      stopsAtViolation: false,
      answered: ({ index }, { verdict, told }: Answer) => {
        done++;
        if (cut && !verdict.failure && verdict.reach === "interrupted") return;
        this.#note(ordered[index].ask, { verdict, schedule: told?.schedule } satisfies CheckAnswer);
      },
    });
    const names = () => pool.progress().at.map(({ job: { subject } }) => subject.twin ?? subject.scenario);
    const stop = () => {
      cut = true;
      pool.stop();
    };
    await this.#while(
      stop,
      milliseconds,
      () => `check: ${done} of ${asks.length}; ${names().join(", ")}`,
      () => pool.run(),
    );
  }

  #checkJob(ask: CheckAsk): CheckJob {
    const { scenario, fault, tables, strategy, bound, milliseconds, irqIsReader, tell = false } = ask;
    const search: Search = { strategy, bound, milliseconds };
    const [job] = ask.twin
      ? twinJobs([ask.twin], undefined, search)
      : jobsOf([scenario], [{ fault, tables, layout: "page" }], search);
    const patches = this.#changed(job.patches);
    const boot = irqIsReader === undefined ? job.boot : { ...job.boot, irqIsReader };
    return { ...job, boot, patches, tell };
  }

  #changed(patches: readonly Patch[] | undefined): readonly Patch[] | undefined {
    const { patches: more } = this.#settings;
    return more ? [...(patches ?? []), ...more] : patches;
  }

  async #predict(asks: readonly PointAsk[]): Promise<void> {
    if (asks.length === 0 || this.#over) return;
    const all = asks.flatMap((ask) => this.#predictJobs(ask).map((job) => ({ ask, job })));
    const { root, dist, workers } = this.#settings;
    const pool = new PredictPool(root, new URL("predictworker.js", dist), workers);
    const jobs = all.map(({ job }) => job);
    let done = 0;
    await this.#while(
      () => pool.stop(),
      this.#left,
      () => `predict: ${done} of ${jobs.length} runs`,
      async () => {
        const { outcomes } = await pool.run(jobs, (now) => {
          done = now;
        });
        for (const ask of asks) {
          const mine = all.map((each, i) => ({ ...each, outcome: outcomes[i] })).filter((each) => each.ask === ask);
          if (mine.some(({ outcome }) => !outcome)) continue;
          const [point] = pointsOf(
            mine.map(({ job }) => job),
            mine.map(({ outcome }) => outcome),
          );
          this.#note(ask, answerOf(point, mine[0].job.machine.flush));
        }
      },
    );
  }

  #predictJobs(ask: PointAsk): PredictJob[] {
    const { workload, cpus, fault: policy, pretouch, tables, operations } = ask;
    const given = loadMachine(this.#settings.root, ask.machine);
    const machine = withValues(given, { ...ask.values, ...this.#settings.values });
    const patches = this.#changed(ask.core && CORES[ask.core]);
    const layout = ask.layout ?? machine.layout;
    const job = { machine, workload, cpus, policy, pretouch, tables, layout, operations, patches };
    return Array.from({ length: ask.seeds }, (_, i) => ({ ...job, seed: i + 1 }));
  }

  async #lines(asks: readonly LinesAsk[]): Promise<void> {
    if (asks.length === 0 || this.#over) return;
    const build = await this.#builds.core(this.#settings.patches);
    for (const ask of asks) {
      if (this.#over) return;
      this.#settings.progress(`lines: ${ask.scenario}`);
      this.#note(ask, measureLines(build, this.#builds.layout(), ask));
    }
  }

  async #run(ask: RunAsk): Promise<void> {
    if (this.#over) return;
    const { root } = this.#settings;
    this.#settings.progress(`run: the storm, ${ask.layout}, ${ask.tables}`);
    const folder = mkdtempSync(join(tmpdir(), "faultline-claims-"));
    const file = join(folder, "stats.json");
    try {
      const options = ["--tables", ask.tables, "--table-layout", ask.layout, "--stats-json", file];
      const storm = [join(root, "guest/bin/storm"), "-t", "2", "-n", `${ask.rounds}`];
      const command = [process.execPath, join(root, "tools/launch.mjs"), "run", ...options, "--", ...storm];
      const adopt = (child: ChildProcess) => {
        this.#stop = () => child.kill("SIGINT");
      };
      const { status, complaint } = await runChild(command, Math.min(RUN_LIMIT_MS, this.#left), adopt);
      if (status === 0) this.#note(ask, runAnswer(JSON.parse(readFileSync(file, "utf8"))));
      else if (!this.#over) throw new Error(`storm, ${ask.layout}, ${ask.tables}: ${complaint}`);
    } finally {
      this.#stop = () => {};
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Until the pool is done, stopped, or out of time; progress meanwhile. */
  async #while(stop: () => void, milliseconds: number, text: () => string, work: () => Promise<void>) {
    this.#stop = stop;
    const looking = setInterval(() => this.#settings.progress(text()), LOOK_MS);
    const limit = setTimeout(stop, Math.max(0, milliseconds));
    try {
      await work();
    } finally {
      clearInterval(looking);
      clearTimeout(limit);
      this.#stop = () => {};
    }
  }
}

/**
 * The first job of each build before all others: while one worker compiles a core, the next compiles another, and those that come
 * later find them compiled.
 */
function firstOfEach(all: readonly { ask: CheckAsk; job: CheckJob }[]): { ask: CheckAsk; job: CheckJob }[] {
  const seen = new Set<string>();
  const first = new Set<CheckJob>();
  for (const { job } of all) {
    const key = JSON.stringify([job.patches]);
    if (job.patches && !seen.has(key)) first.add(job);
    seen.add(key);
  }
  return [...all.filter(({ job }) => first.has(job)), ...all.filter(({ job }) => !first.has(job))];
}

function failedAnswer({ scenario }: CheckAsk, message: string): CheckAnswer {
  const claim = `the checker itself failed: ${message}`;
  const figures = { executions: 0, events: 0, switches: 0, blocked: 0, ms: 0 };
  return { verdict: { scenario, reach: "interrupted", claim, ...figures } };
}

function answerOf(point: Point, flush: PointAnswer["flush"]): PointAnswer {
  const { rate, error, spent, faults, unmaps, ipis, irqOff, footprint } = point;
  return { flush, rate, error, spent, faults, unmaps, ipis, irqOff, footprint };
}

/** docs/stats names: the part of `--stats-json` that is asked for. */
interface Stats {
  readonly wall_ms: number;
  readonly faults: { readonly total: number };
  readonly tables: RunAnswer["tables"];
  readonly rcu: { readonly grace_periods: number };
}

function runAnswer({ wall_ms, faults, tables, rcu }: Stats): RunAnswer {
  return { wallMs: wall_ms, faults: faults.total, tables, gracePeriods: rcu.grace_periods };
}
