/**
 * cli/check/portfolio.ts: how a scenario is looked at when nobody names a strategy: as far as the time allows.
 *
 *   large scenarios   random walks, for half of the time
 *   then              at most 0, 1 preemptions ─▶ every execution, for half of what is left ─▶ at most 2, 3, 4 … preemptions
 *
 * Why        most violations need one or two preemptions, and are easiest to read then. Scenarios that are small are
 *            finished altogether; for those tagged "large" a sample sees what few preemptions do not reach.
 * Bounded    with a time limit goes the same way, without the rest: what was finished is claimed, though more was begun.
 * Promise    the verdict is the strongest that was earned: complete, else the highest number of preemptions that was
 *            finished, else the sample. What was begun and left is said, and claims nothing.
 */
import { explore, type Progress, type Settings, type StrategyName, type Verdict } from "../../check/explore.js";
import type { CoreBuild } from "../../check/hooked.js";
import type { Scenario } from "../../check/scenario.js";
import type { Found, Search } from "./job.js";

export const DEFAULT_MS = 3000;
export const DEFAULT_SAMPLE = 5000;
/** Of `--strategy bounded` without `--bound`. */
const PREEMPTIONS = 2;
/** More preemptions than this: all executions are no more work. */
const MOST_PREEMPTIONS = 12;
const SAMPLERS: readonly StrategyName[] = ["pct", "pos", "random"];

type Boot = Pick<Settings, "policy" | "tables" | "layout" | "pretouch" | "irqIsReader">;
type GoOn = (soFar: Progress) => boolean;

/** `goOn` is asked now and then; false stops, and the verdict is "interrupted". */
export function search(build: CoreBuild, scenario: Scenario, boot: Boot, how: Search, goOn: GoOn): Found {
  let stopped = false;
  const ask = (soFar: Progress) => {
    stopped ||= !goOn(soFar);
    return !stopped;
  };
  const verdict: Found = { ...(isIterated(how) ? portfolio : one)(build, scenario, boot, how, ask) };
  if (verdict.failure) {
    verdict.reach = "interrupted";
    verdict.claim = `a violation in execution ${verdict.executions}`;
  } else if (stopped) {
    verdict.reach = "interrupted";
    if (how.strategy && SAMPLERS.includes(how.strategy)) {
      verdict.resume = `--seed ${(how.seed ?? 1) + verdict.executions}`;
    }
  }
  return verdict;
}

function isIterated({ strategy, milliseconds }: Search): boolean {
  return strategy === undefined || (strategy === "bounded" && milliseconds !== undefined);
}

function one(build: CoreBuild, scenario: Scenario, boot: Boot, how: Search, goOn: GoOn): Verdict {
  const strategy = how.strategy!;
  const endless = SAMPLERS.includes(strategy) && how.milliseconds === undefined;
  const executions = how.executions ?? (endless ? DEFAULT_SAMPLE : undefined);
  return explore(build, scenario, { ...boot, ...how, strategy, executions }, goOn);
}

function portfolio(build: CoreBuild, scenario: Scenario, boot: Boot, how: Search, goOn: GoOn): Verdict {
  const until = performance.now() + (how.milliseconds ?? DEFAULT_MS);
  const left = () => until - performance.now();
  const tally = new Tally(how, goOn);
  const run = (strategy: StrategyName, milliseconds: number, bound?: number) => {
    if (milliseconds <= 0 || tally.over) return;
    const executions = tally.left;
    tally.note(explore(build, scenario, { ...boot, strategy, milliseconds, bound, executions }, tally.goOn), bound);
  };
  const free = how.strategy === undefined;
  const most = free ? MOST_PREEMPTIONS : (how.bound ?? PREEMPTIONS);
  if (free && scenario.tags.includes("large")) run("random", left() / 2);
  for (let bound = 0; bound <= most && left() > 0 && !tally.over; bound++) {
    if (free && bound === 2) run("exhaustive", left() / 2);
    run("bounded", left(), bound);
  }
  return tally.verdict(scenario.name);
}

/** What all searches of one scenario come to. */
class Tally {
  readonly #all: Verdict[] = [];
  readonly #most: number;
  readonly #ask: GoOn;
  /** Settles the matter: complete, or a failure. */
  #final: Verdict | undefined;
  #best: Verdict | undefined;
  #sample: Verdict | undefined;
  #left: string | undefined;
  #stopped = false;

  constructor({ executions = Number.POSITIVE_INFINITY }: Search, goOn: GoOn) {
    this.#most = executions;
    this.#ask = goOn;
  }

  readonly goOn = (soFar: Progress): boolean => {
    const [executions, events, ms] = this.#sums();
    const total = { executions: executions + soFar.executions, events: events + soFar.events, ms: ms + soFar.ms };
    if (!this.#ask(total)) this.#stopped = true;
    return !this.#stopped;
  };

  /** Whether to look no further. */
  get over(): boolean {
    return this.#final !== undefined || this.#stopped || this.left === 0;
  }

  /** Executions that may still be run. */
  get left(): number {
    return Math.max(0, this.#most - this.#sums()[0]);
  }

  note(verdict: Verdict, bound: number | undefined): void {
    this.#all.push(verdict);
    if (verdict.failure || verdict.reach === "complete") this.#final = verdict;
    else if (verdict.reach === "bounded") this.#best = verdict;
    else if (verdict.reach === "sampled") this.#sample = verdict;
    else this.#left = bound === undefined ? "every execution" : `at most ${bound} preemptions`;
  }

  verdict(scenario: string): Verdict {
    const [executions, events, ms, switches, blocked] = this.#sums();
    const figures = { scenario, executions, events, switches, blocked, ms };
    if (this.#final) return { ...this.#final, ...figures };
    const claims = [this.#best?.claim ?? (this.#sample ? "some executions drawn" : "nothing was finished")];
    if (this.#best && this.#sample) claims.push("some more drawn");
    if (this.#left) claims.push(`begun and left: ${this.#left}`);
    const reach = this.#best?.reach ?? this.#sample?.reach ?? "interrupted";
    return { ...figures, reach, claim: claims.join("; ") };
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
