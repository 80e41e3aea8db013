/**
 * cli/check/session.ts: one call of `faultline check`: what is kept, what the workers do, what is printed.
 *
 *   run()      kept verdicts, then the pool, with progress on stderr; Ctrl-C stops the pool
 *   report()   rows up to the first violation (all of them with --keep-going, or for twins), coverage, the violation told
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildHash } from "../../check/schedule.js";
import { TWINS } from "../../check/twins/index.js";
import { INTERRUPTED } from "../options.js";
import { shortNumber } from "../stormTable.js";
import { coloursFor, Progress } from "../terminal.js";
import type { Found, Job } from "./job.js";
import { checkJson, type Reported, type Status } from "./json.js";
import { JobError, Pool } from "./pool.js";
import type { Options } from "./request.js";
import { textOf } from "./setting.js";
import { VerdictStore } from "./store.js";
import { coverage, twinTable, verdictTable } from "./table.js";

/** Bundled, every file of the command line is build/dist/main.js, beside its workers. */
const DIST = new URL("./", import.meta.url);
const ROOT = fileURLToPath(new URL("../../", DIST));
const LOOK_MS = 250;
const PROGRESS_MS = 2000;

export class Session {
  readonly #jobs: readonly Job[];
  readonly #options: Options;
  /** The options as typed, for the command that goes on. */
  readonly #given: readonly string[];
  readonly #rows: (Reported | undefined)[];
  readonly #hooked: Buffer<ArrayBuffer>;
  #hash = "";
  #interrupted = false;

  constructor(jobs: readonly Job[], options: Options, given: readonly string[]) {
    this.#jobs = jobs;
    this.#options = options;
    this.#given = given;
    this.#rows = jobs.map(() => undefined);
    this.#hooked = readFileSync(join(ROOT, "build/hooked.wasm")) as Buffer<ArrayBuffer>;
  }

  /** Returns the error of a request that turned out to be impossible. Throws when the checker itself failed. */
  async run(): Promise<JobError | undefined> {
    this.#hash = await buildHash(this.#hooked);
    const checker = readFileSync(new URL("checkworker.js", DIST));
    const store = new VerdictStore(join(ROOT, "build"), [this.#hooked, checker], this.#options.fresh === true);
    const left: Job[] = [];
    for (const job of this.#jobs) {
      const verdict = job.patches || job.replay ? undefined : store.find(job);
      if (verdict) this.#note(job, { verdict, kept: true });
      else left.push(job);
    }
    try {
      await this.#explore(left, store);
    } catch (error) {
      if (error instanceof JobError && error.usage) return error;
      throw error instanceof JobError ? new Error(`the checker itself failed: ${error.message}`) : error;
    } finally {
      store.write();
    }
    return undefined;
  }

  async #explore(jobs: readonly Job[], store: VerdictStore): Promise<void> {
    const pool = new Pool(jobs, {
      worker: new URL("checkworker.js", DIST),
      root: ROOT,
      workers: this.#options.jobs,
      stopsAtViolation: !this.#options.keepGoing && !this.#options.twins,
      answered: (job, { verdict, told }) => {
        store.note(job, verdict);
        this.#note(job, { verdict, kept: false, told });
      },
    });
    const progress = new Progress(process.stderr, PROGRESS_MS);
    let said = "";
    const look = () => {
      const text = progressText(pool);
      if (text !== said) progress.update(text);
      said = text;
    };
    const looking = setInterval(look, LOOK_MS);
    const listen = () => {
      if (this.#interrupted) process.exit(INTERRUPTED);
      this.#interrupted = true;
      pool.stop();
    };
    const signals = ["SIGINT", "SIGTERM"] as const;
    for (const signal of signals) process.on(signal, listen);
    try {
      await pool.run();
    } finally {
      for (const signal of signals) process.off(signal, listen);
      clearInterval(looking);
      progress.done();
    }
    for (const { job, executions, events, ms } of pool.progress().at)
      this.#note(job, { verdict: cut(job, executions, events, ms), kept: false });
  }

  #note(job: Job, result: Omit<Reported, "subject" | "twin">): void {
    const twin = TWINS.find(({ name }) => name === job.subject.twin);
    this.#rows[job.index] = { subject: job.subject, ...(twin && { twin }), ...result };
  }

  /** Prints; returns the exit status. */
  report(): number {
    const { replay, json } = this.#options;
    const rows = this.#shown();
    const out = replay === undefined ? this.#tables(rows) : [];
    for (const { told, subject, verdict } of rows) {
      if (!told) continue;
      const found = verdict.failure ? `violation in ${subject.scenario}` : subject.scenario;
      out.push(`${found}, ${textOf(subject)}${subject.twin ? `, twin ${subject.twin}` : ""}\n${told.text}`);
    }
    process.stdout.write(`${out.join("\n\n")}\n`);
    this.#writeTrace(rows);
    const status = this.#status(rows);
    if (json !== undefined) writeFileSync(json, checkJson(status, this.#hash, rows));
    if (this.#interrupted) process.stderr.write(this.#howToGoOn());
    if (status === "interrupted") return INTERRUPTED;
    return status === "clean" ? 0 : 1;
  }

  #tables(rows: readonly Reported[]): string[] {
    if (rows.length === 0) return ["nothing was explored"];
    const colours = coloursFor(process.stdout);
    const covered = coverage(rows);
    const table = this.#options.twins ? twinTable(rows, colours, this.#interrupted) : verdictTable(rows, colours);
    return covered === "" ? [table] : [table, covered];
  }

  /** What answers the question: whatever a faster worker found beyond the first violation is left out. */
  #shown(): Reported[] {
    const { keepGoing, twins } = this.#options;
    const end = keepGoing || twins ? -1 : this.#rows.findIndex((row) => row?.verdict.failure);
    return this.#rows.slice(0, end < 0 ? undefined : end + 1).filter((row) => row !== undefined);
  }

  #status(rows: readonly Reported[]): Status {
    if (this.#interrupted) return "interrupted";
    const failures = rows.filter(({ verdict }) => verdict.failure).length;
    if (this.#options.twins) return failures === rows.length ? "clean" : "survived";
    return failures > 0 ? "violation" : "clean";
  }

  #writeTrace(rows: readonly Reported[]): void {
    const { trace: file } = this.#options;
    if (file === undefined) return;
    const trace = rows.find(({ told }) => told?.trace)?.told?.trace;
    if (trace !== undefined) writeFileSync(file, trace);
    else process.stderr.write("check: no violation was shown: there is nothing to trace\n");
  }

  /** The command that explores what was not finished. */
  #howToGoOn(): string {
    const open = this.#jobs.filter(({ index }) => {
      const verdict = this.#rows[index]?.verdict;
      return !verdict || (verdict.reach === "interrupted" && !verdict.failure);
    });
    const covered = `check: interrupted with ${this.#jobs.length - open.length} of ${this.#jobs.length} finished`;
    if (open.length === 0) return `${covered}\n`;
    const resume = open.length === 1 ? (this.#rows[open[0].index]?.verdict.resume ?? "") : "";
    const again = /^--seed \d+$/.test(resume) ? [...without("--seed", this.#given), resume] : this.#given;
    const names = [...new Set(open.map(({ subject }) => subject.twin ?? subject.scenario))];
    return `${covered}; to go on:\n./faultline check ${[...names, ...again].join(" ")}\n`;
  }
}

function without(option: string, words: readonly string[]): string[] {
  const at = words.indexOf(option);
  return at < 0 ? [...words] : words.toSpliced(at, 2);
}

/** Ctrl-C came while the worker was at something that it could not leave. */
function cut({ subject }: Job, executions: number, events: number, ms: number): Found {
  const figures = { executions, events, switches: 0, blocked: 0, ms };
  return { scenario: subject.scenario, reach: "interrupted", claim: "nothing was finished", ...figures };
}

function progressText(pool: Pool): string {
  const { done, all, at } = pool.progress();
  const now = at.map(({ job: { subject }, executions, events }) => {
    const name = subject.twin ?? subject.scenario;
    if (executions === 0) return name;
    return `${name} ${shortNumber(executions)} executions, ${shortNumber(events)} events`;
  });
  return `check: ${done} of ${all} done; ${now.join("; ")}`;
}
