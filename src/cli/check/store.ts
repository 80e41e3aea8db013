/**
 * cli/check/store.ts: verdicts of earlier runs, so that what did not change is not explored again: build/verdicts.json (cli/kept.ts).
 *
 *   key       hooked.wasm · the checker (its bundle, strategies and oracle) · scenario · setting · search
 *   kept      complete and bounded verdicts without a failure; a sample, or what was interrupted, proves too little
 * Promise   a kept verdict is one that the same run would give again, but for its time.
 */
import { KeptAnswers } from "../kept.js";
import { type Found, type Job, scenarioText } from "./job.js";
import { textOf } from "./setting.js";

export class VerdictStore {
  readonly #kept: KeptAnswers<Found>;

  /** `of`: what every verdict depends on, the core and the checker. `fresh`: nothing is known. */
  constructor(folder: string, of: readonly Uint8Array[], fresh: boolean) {
    this.#kept = new KeptAnswers(folder, "verdicts.json", "check: verdicts", of, fresh);
  }

  find(job: Job): Found | undefined {
    return this.#kept.find(question(job));
  }

  note(job: Job, verdict: Found): void {
    const proves = verdict.reach === "complete" || verdict.reach === "bounded";
    if (proves && !verdict.failure && !job.patches && !job.replay) this.#kept.note(question(job), verdict);
  }

  write(): void {
    this.#kept.write();
  }
}

function question({ subject, search }: Job): unknown {
  return [textOf(subject), search, scenarioText(subject.scenario)];
}
