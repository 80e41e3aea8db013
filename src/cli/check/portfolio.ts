/**
 * cli/check/portfolio.ts: how a scenario is looked at when nobody names a strategy: as far as the time allows.
 *
 *   at most 0, 1 preemptions ─▶ every execution, for half of what is left ─▶ at most 2, 3, 4 … preemptions, until time is up
 *
 * Why        most violations need one or two preemptions, and are easiest to read then. Scenarios that are small are
 *            finished altogether.
 * Promise    the verdict is the strongest that was earned: complete, else the highest number of preemptions that was finished.
 *            What was begun and left is said, and claims nothing.
 */
import { explore, type Settings, type SoFar, type StrategyName, type Verdict } from "../../check/explore.js";
import type { CoreBuild } from "../../check/hooked.js";
import type { Scenario } from "../../check/scenario.js";
import type { Search } from "./job.js";

export const DEFAULT_MS = 3000;
export const DEFAULT_SAMPLE = 5000;
/** More preemptions than this: all executions are no more work. */
const MOST_PREEMPTIONS = 12;
const SAMPLERS: readonly StrategyName[] = ["pct", "pos", "random"];

type Boot = Pick<Settings, "policy" | "tables" | "layout">;
type GoOn = (soFar: SoFar) => boolean;

export function search(build: CoreBuild, scenario: Scenario, boot: Boot, how: Search, goOn: GoOn): Verdict {
  const { strategy, bound, seed, milliseconds } = how;
  if (strategy === undefined) return portfolio(build, scenario, boot, how, goOn);
  const endless = SAMPLERS.includes(strategy) && milliseconds === undefined;
  const executions = how.executions ?? (endless ? DEFAULT_SAMPLE : undefined);
  const given = { bound, seed, executions, milliseconds };
  const settings = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return explore(build, scenario, { ...boot, strategy, ...settings }, goOn);
}

function portfolio(build: CoreBuild, scenario: Scenario, boot: Boot, how: Search, goOn: GoOn): Verdict {
  const until = performance.now() + (how.milliseconds ?? DEFAULT_MS);
  const tally = new Tally(scenario.name, how, goOn);
  const run = (strategy: StrategyName, milliseconds: number, bound?: number): boolean => {
    const limit = { milliseconds, ...(bound !== undefined && { bound, from: bound }), ...tally.limit };
    return tally.note(explore(build, scenario, { ...boot, strategy, ...limit }, tally.goOn), bound);
  };
  const left = () => until - performance.now();
  for (let bound = 0; bound <= MOST_PREEMPTIONS && left() > 0; bound++) {
    if (bound === 2 && !run("exhaustive", left() / 2)) break;
    if (left() > 0 && !run("bounded", left(), bound)) break;
  }
  return tally.verdict();
}

/** What all searches of one scenario come to. */
class Tally {
  readonly #scenario: string;
  readonly #all: Verdict[] = [];
  readonly #most: number;
  readonly #ask: GoOn;
  /** The last verdict that settles the matter: complete, a failure, or stopped from outside. */
  #final: Verdict | undefined;
  #best: Verdict | undefined;
  #left: string | undefined;
  #stopped = false;

  constructor(scenario: string, { executions = Infinity }: Search, goOn: GoOn) {
    this.#scenario = scenario;
    this.#most = executions;
    this.#ask = goOn;
  }

  readonly goOn = (soFar: SoFar): boolean => {
    const [executions, events, ms] = this.#sums();
    const total = { executions: executions + soFar.executions, events: events + soFar.events, ms: ms + soFar.ms };
    this.#stopped = !this.#ask(total) || total.executions >= this.#most;
    return !this.#stopped;
  };

  get limit(): { executions?: number } {
    return this.#most === Infinity ? {} : { executions: this.#most - this.#sums()[0] };
  }

  /** Whether to look further. */
  note(verdict: Verdict, bound: number | undefined): boolean {
    this.#all.push(verdict);
    if (verdict.failure || verdict.reach === "complete") this.#final = verdict;
    else if (verdict.reach === "bounded") this.#best = verdict;
    else this.#left = bound === undefined ? "every execution" : `at most ${bound} preemptions`;
    return !this.#final && !this.#stopped && (bound === undefined || verdict.reach === "bounded");
  }

  verdict(): Verdict {
    const [executions, events, ms, switches, blocked] = this.#sums();
    const figures = { scenario: this.#scenario, executions, events, switches, blocked, ms };
    if (this.#final) return { ...this.#final, ...figures };
    const covered = this.#best?.claim ?? "nothing was finished";
    const claim = this.#left ? `${covered}; begun and left: ${this.#left}` : covered;
    const reach = this.#best && !this.#stopped ? "bounded" : "interrupted";
    return { ...figures, reach, claim, resume: "a larger --seconds reaches further" };
  }

  #sums(): number[] {
    const sum = (of: (verdict: Verdict) => number) => this.#all.reduce((n, verdict) => n + of(verdict), 0);
    return [
      sum((v) => v.executions),
      sum((v) => v.events),
      sum((v) => v.ms),
      sum((v) => v.switches),
      sum((v) => v.blocked),
    ];
  }
}
