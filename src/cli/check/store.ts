/**
 * cli/check/store.ts: verdicts of earlier runs, so that what did not change is not explored again: build/verdicts.json.
 *
 *   key       SHA-256 of: hooked.wasm · the checker (its bundle, strategies and oracle) · scenario · setting · search
 *   kept      complete and bounded verdicts without a failure; a sample, or what was interrupted, proves too little
 * Promise   a kept verdict is one that the same run would give again, but for its time. The file appears whole (written
 *           aside, then renamed); of two runs that end at once one may lose what it would have kept, and nothing else.
 *           Verdicts of another build or checker are dropped at the next write.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Found, type Job, scenarioText } from "./job.js";

const VERSION = 1;

interface Kept {
  readonly version: number;
  readonly of: string;
  readonly verdicts: Record<string, Found>;
}

export class VerdictStore {
  readonly #file: string;
  readonly #of: string;
  readonly #known: Record<string, Found>;
  readonly #new: Record<string, Found> = {};

  /** `of`: what every verdict depends on, the core and the checker. `fresh`: nothing is known. */
  constructor(folder: string, of: readonly Uint8Array[], fresh: boolean) {
    this.#file = join(folder, "verdicts.json");
    const hash = createHash("sha256");
    for (const bytes of of) hash.update(createHash("sha256").update(bytes).digest());
    this.#of = hash.digest("hex");
    this.#known = fresh ? {} : this.#read();
  }

  find(job: Job): Found | undefined {
    return this.#known[this.#key(job)];
  }

  note(job: Job, verdict: Found): void {
    const proves = verdict.reach === "complete" || verdict.reach === "bounded";
    if (proves && !verdict.failure && !job.patches && !job.replay) this.#new[this.#key(job)] = verdict;
  }

  /** Adds what is new to what the file holds now. */
  write(): void {
    if (Object.keys(this.#new).length === 0) return;
    const kept: Kept = { version: VERSION, of: this.#of, verdicts: { ...this.#read(), ...this.#new } };
    const aside = `${this.#file}.${process.pid}`;
    try {
      mkdirSync(join(this.#file, ".."), { recursive: true });
      writeFileSync(aside, `${JSON.stringify(kept)}\n`);
      renameSync(aside, this.#file);
    } catch (error) {
      rmSync(aside, { force: true });
      process.stderr.write(`check: verdicts are not kept: ${(error as Error).message}\n`);
    }
  }

  #key({ subject, search }: Job): string {
    return createHash("sha256")
      .update(JSON.stringify([subject.fault, subject.tables, subject.layout, search, scenarioText(subject.scenario)]))
      .digest("hex");
  }

  #read(): Record<string, Found> {
    try {
      const { version, of, verdicts } = JSON.parse(readFileSync(this.#file, "utf8")) as Kept;
      return version === VERSION && of === this.#of ? verdicts : {};
    } catch {
      return {};
    }
  }
}
