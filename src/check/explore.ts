/**
 * One scenario explored by one strategy, to its end or to a limit, and what may be claimed afterwards.
 *
 *   complete      nothing is left that the strategy would run
 *   bounded       the same, up to a bound that kept something back
 *   sampled       as many executions as were asked for, of a strategy that has no end
 *   interrupted   a limit, or whoever asked, ended it before
 */
import type { Layout, Policy, Tables } from "../core/abi/mman.js";
import { Bounded } from "./bounded.js";
import { Checker } from "./checker.js";
import { Exhaustive } from "./exhaustive.js";
import type { CoreBuild } from "./hooked.js";
import { Pct } from "./pct.js";
import { Pos } from "./pos.js";
import { RandomWalk } from "./random.js";
import type { Failure, Scenario } from "./scenario.js";
import type { Reach, Strategy } from "./strategy.js";

export type StrategyName = "exhaustive" | "optimal" | "bounded" | "pct" | "pos" | "random";

export interface Settings {
  policy: Policy;
  tables: Tables;
  layout: Layout;
  strategy: StrategyName;
  /** Preemptions for bounded, depth for pct. */
  bound?: number;
  seed?: number;
  /** Stop after so many. */
  executions?: number;
  milliseconds?: number;
}

export interface SoFar {
  executions: number;
  events: number;
  ms: number;
}

export interface Verdict {
  scenario: string;
  reach: Reach;
  /** What was covered, in one line. */
  claim: string;
  executions: number;
  events: number;
  switches: number;
  /** Executions given up because what followed was known. */
  blocked: number;
  ms: number;
  failure?: Failure;
  /** How to go on: options. */
  resume?: string;
}

const PREEMPTIONS = 2;
const DEPTH = 3;

export function explore(
  build: CoreBuild,
  scenario: Scenario,
  settings: Settings,
  goOn?: (soFar: SoFar) => boolean,
): Verdict {
  const { policy, tables, layout, seed = 1, executions = Infinity, milliseconds = Infinity } = settings;
  const started = performance.now();
  const checker = new Checker(build, scenario, policy, tables, layout);
  const next = strategies(checker, settings);
  const { figures } = checker;
  let strategy = next(seed);
  let failure: Failure | undefined;
  let end: "over" | "limit" | "stopped" | undefined;
  while (!failure && !end) {
    failure = checker.run(strategy, seed + checker.executions);
    const ms = performance.now() - started;
    if (strategy.more && !strategy.more()) end = "over";
    else if (checker.executions >= executions || ms >= milliseconds) end = "limit";
    else if (goOn?.({ executions: checker.executions, events: figures.events, ms }) === false) end = "stopped";
    else if (settings.strategy === "random") strategy = next(seed + checker.executions);
  }
  const search = strategy instanceof Exhaustive ? strategy : undefined;
  const verdict: Verdict = {
    scenario: scenario.name,
    reach: "interrupted",
    claim: "",
    executions: checker.executions,
    events: figures.events,
    switches: figures.switches,
    blocked: search?.figures.blocked ?? 0,
    ms: performance.now() - started,
  };
  if (failure) {
    verdict.failure = failure;
    verdict.claim = `a violation in execution ${checker.executions}`;
    return verdict;
  }
  if (search && end === "over") verdict.reach = search.bounded ? "bounded" : "complete";
  if (!search && end === "limit") verdict.reach = "sampled";
  verdict.claim = claimOf(verdict, strategy, seed);
  if (!search) verdict.resume = `--seed ${seed + checker.executions}`;
  return verdict;
}

/** Makes the strategy; a random walk is made anew for each seed, so that each execution has its own. */
function strategies(checker: Checker, { strategy, bound }: Settings): (seed: number) => Strategy {
  if (strategy === "random") return (seed) => new RandomWalk(seed);
  if (strategy === "pct") return (seed) => new Pct(seed, bound ?? DEPTH);
  if (strategy === "pos") return (seed) => new Pos(seed, checker.system);
  if (strategy === "bounded") return () => new Bounded(checker.system, bound ?? PREEMPTIONS);
  return () => new Exhaustive(checker.system);
}

function claimOf({ reach, executions }: Verdict, { claim, more }: Strategy, seed: number): string {
  if (reach === "complete" || reach === "bounded") return claim;
  if (more) return `left after ${executions} executions; wanted: ${claim}`;
  return `${executions} executions from seed ${seed}: ${claim}`;
}
