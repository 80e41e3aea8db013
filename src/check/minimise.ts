/**
 * Minimise: from a schedule that breaks a rule to a shorter story that breaks the same rule.
 *
 *   0x3.1.0x7.1x2.0.1x90 …   ─ operations ─▶ without the last operations of an actor, if the rule still breaks
 *                            ─ ddmin ──────▶ without ever smaller pieces of the list of runs
 *                            ─ merge ──────▶ two runs of one lane made one, before or after what stood between
 *
 * What is tried is only a wish: the execution that comes of it is what is kept, as it went, and only when it has fewer
 * switches (or as many, in fewer events). So each step is a failing execution, and the result replays.
 * Linear pieces: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input".
 */
import type { Failure } from "./scenario.js";
import { joined, type Run, type Schedule } from "./schedule.js";

/** Runs a schedule; what it broke, with the runs of the execution as it went. */
export type Fails = (schedule: Schedule) => Failure | undefined;

export interface Minimised {
  schedule: Schedule;
  failure: Failure;
  /** Executions spent. */
  tried: number;
}

/** `budget`: how many executions to spend. */
export function minimise(start: Schedule, operations: readonly number[], fails: Fails, budget = 2000): Minimised {
  const first = fails(start);
  if (!first) throw new Error("the schedule to minimise breaks no rule");
  const search = new Search({ ...start, runs: first.runs }, first, fails, budget);
  let before: Schedule;
  do {
    before = search.best;
    search.dropOperations(operations);
    search.dropRuns();
    search.mergeRuns();
  } while (search.best !== before && search.left > 0);
  return { schedule: search.best, failure: search.failure, tried: search.tried };
}

/** A failing execution of more events than this counts for several: one that does not end takes long each time. */
const EVENTS_OF_ONE = 5000;

class Search {
  tried = 0;

  constructor(
    public best: Schedule,
    public failure: Failure,
    private readonly fails: Fails,
    public left: number,
  ) {}

  /** Whether the wish led to a better failing execution, which is then the best. */
  #try(runs: readonly Run[], keep = this.best.keep): boolean {
    if (this.left <= 0) return false;
    this.left--;
    this.tried++;
    const failure = this.fails({ ...this.best, keep, runs: joined(runs) });
    if (failure) this.left -= Math.floor(events(failure.runs) / EVENTS_OF_ONE);
    if (failure?.rule !== this.failure.rule) return false;
    const fewerOperations = keep !== this.best.keep;
    const byRuns = failure.runs.length - this.best.runs.length;
    if (!fewerOperations && (byRuns > 0 || (byRuns === 0 && events(failure.runs) >= events(this.best.runs))))
      return false;
    this.best = { ...this.best, keep, runs: failure.runs };
    this.failure = failure;
    return true;
  }

  dropOperations(operations: readonly number[]): void {
    for (let actor = 0; actor < operations.length; actor++) {
      while (true) {
        const keep = [...(this.best.keep ?? operations)];
        if (keep[actor]-- === 0 || !this.#try(this.best.runs, keep)) break;
      }
    }
  }

  /** From halves down to single runs; a piece that may go goes at once. */
  dropRuns(): void {
    for (let piece = this.best.runs.length >> 1; piece >= 1; piece >>= 1) {
      let at = Math.max(0, this.best.runs.length - piece);
      while (this.left > 0) {
        const { runs } = this.best;
        this.#try([...runs.slice(0, at), ...runs.slice(at + piece)]);
        if (at === 0) break;
        at = Math.max(0, Math.min(at, this.best.runs.length) - piece);
      }
    }
  }

  mergeRuns(): void {
    for (let i = this.best.runs.length - 1; i > 0 && this.left > 0; i = Math.min(i, this.best.runs.length) - 1) {
      const { runs } = this.best;
      const before = runs.slice(0, i).findLastIndex(({ lane }) => lane === runs[i].lane);
      if (before < 0) continue;
      const between = runs.slice(before + 1, i);
      const head = runs.slice(0, before);
      const tail = runs.slice(i + 1);
      this.#try([...head, runs[before], runs[i], ...between, ...tail]) ||
        this.#try([...head, ...between, runs[before], runs[i], ...tail]);
    }
  }
}

function events(runs: readonly Run[]): number {
  return runs.reduce((sum, run) => sum + run.events, 0);
}
