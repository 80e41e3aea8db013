/**
 * One scenario, one setting, explored: executions one after another until a rule breaks, the strategy has no more, or time is up.
 *
 * Promise    a verdict says how far it reaches, and never further than it went: "complete" only when the strategy ran out of
 *            executions and kept none back; "bounded" when it ran out within its bound; "sampled" when it draws; "interrupted" when
 *            somebody stopped it.
 * Bounded    is iterated: 0 preemptions, then 1, up to the bound, so that what is found first needs fewest.
 */
import type { Layout, Policy, Pretouch, Tables } from "../core/abi/mman.js";
import { Bounded } from "./bounded.js";
import { Checker } from "./checker.js";
import { Exhaustive } from "./exhaustive.js";
import type { CoreBuild } from "./hooked.js";
import { Optimal } from "./optimal.js";
import type { LockOrder } from "./oracle/order.js";
import { Pct } from "./pct.js";
import { Pos } from "./pos.js";
import { RandomWalk } from "./random.js";
import type { Failure, Scenario } from "./scenario.js";
import type { Reach, Strategy, System } from "./strategy.js";

export const STRATEGIES = ["exhaustive", "optimal", "bounded", "pct", "pos", "random"] as const;
export type StrategyName = (typeof STRATEGIES)[number];

export interface Settings {
  policy: Policy;
  tables: Tables;
  layout: Layout;
  pretouch?: Pretouch | undefined;
  /** False: interrupts off are no reader section (Scheduler.irqIsReader). */
  irqIsReader?: boolean | undefined;
  strategy: StrategyName;
  /** Preemptions, for bounded; depth of the bug, for pct. */
  bound?: number;
  /** Of the first execution, where the strategy draws. */
  seed?: number;
  /** Stop after so many. A strategy that draws stops at SAMPLE when neither limit is given. */
  executions?: number;
  milliseconds?: number;
  /** Shared by explorations whose lock orders are to be seen together. */
  order?: LockOrder;
}

export interface Progress {
  executions: number;
  events: number;
  ms: number;
}

export interface Verdict {
  scenario: string;
  reach: Reach;
  /** One line: what was covered. */
  claim: string;
  executions: number;
  events: number;
  switches: number;
  /** Executions given up because what followed was known. */
  blocked: number;
  ms: number;
  failure?: Failure;
}

const BOUND = 2;
const DEPTH = 3;
const SAMPLE = 1000;
/** Executions between two looks at the clock. */
const BETWEEN = 16;

/** `goOn` is asked now and then: false stops. */
export function explore(
  build: CoreBuild,
  scenario: Scenario,
  settings: Settings,
  goOn: (soFar: Progress) => boolean = () => true,
): Verdict {
  const { policy, tables, layout, pretouch, order, irqIsReader = true } = settings;
  const checker = new Checker(build, scenario, policy, tables, layout, order, pretouch);
  checker.scheduler.irqIsReader = irqIsReader;
  return new Exploration(checker, settings, goOn).run();
}

class Exploration {
  readonly #started = performance.now();
  readonly #checker: Checker;
  readonly #settings: Settings;
  readonly #goOn: (soFar: Progress) => boolean;
  #failure: Failure | undefined;
  #stopped = false;
  #blocked = 0;

  constructor(checker: Checker, settings: Settings, goOn: (soFar: Progress) => boolean) {
    this.#checker = checker;
    this.#settings = settings;
    this.#goOn = goOn;
  }

  run(): Verdict {
    const { strategy: name, seed = 1, bound } = this.#settings;
    const { system } = this.#checker;
    switch (name) {
      case "exhaustive":
        return this.#search(new Exhaustive(system));
      case "optimal":
        return this.#search(new Optimal(system));
      case "bounded":
        return this.#iterate(system, bound ?? BOUND);
      case "pct":
        return this.#sample(seed, new Pct(seed, bound ?? DEPTH));
      case "pos":
        return this.#sample(seed, new Pos(seed, system));
      case "random":
        return this.#sample(seed);
    }
  }

  #search(search: Exhaustive): Verdict {
    do this.#execute(search);
    while (!this.#over() && search.more());
    this.#blocked += search.figures.blocked;
    return this.#verdict(search.bounded ? "bounded" : "complete", search.claim);
  }

  #iterate(system: System, bound: number): Verdict {
    for (let preemptions = 0; ; preemptions++) {
      const search = new Bounded(system, preemptions);
      const verdict = this.#search(search);
      if (preemptions === bound || this.#stopped || this.#failure || !search.bounded) return verdict;
    }
  }

  /** Draws executions, from one strategy or, for the random walk, from one for each seed. */
  #sample(seed: number, strategy?: Strategy): Verdict {
    const { executions, milliseconds } = this.#settings;
    const most = executions ?? (milliseconds === undefined ? SAMPLE : Number.POSITIVE_INFINITY);
    let done = 0;
    do {
      const drawn = seed + done++;
      this.#execute(strategy ?? new RandomWalk(drawn), drawn);
    } while (done < most && !this.#over());
    const claim = `${done} executions drawn, from seed ${seed}: ${strategy?.claim ?? "a random walk"}`;
    return this.#verdict("sampled", claim, false);
  }

  #execute(strategy: Strategy, seed = 0): void {
    this.#failure = this.#checker.run(strategy, seed);
  }

  #over(): boolean {
    if (this.#failure) return true;
    const { executions } = this.#checker;
    if (executions >= (this.#settings.executions ?? Number.POSITIVE_INFINITY)) this.#stopped = true;
    if (executions % BETWEEN === 0) {
      const soFar = this.#soFar();
      if (soFar.ms >= (this.#settings.milliseconds ?? Number.POSITIVE_INFINITY) || !this.#goOn(soFar))
        this.#stopped = true;
    }
    return this.#stopped;
  }

  #soFar(): Progress {
    const { executions, figures } = this.#checker;
    return { executions, events: figures.events, ms: performance.now() - this.#started };
  }

  #verdict(reach: Reach, claim: string, cut = this.#stopped): Verdict {
    const { scenario, figures } = this.#checker;
    return {
      scenario: scenario.name,
      reach: cut || this.#failure ? "interrupted" : reach,
      claim: this.#claim(claim, cut),
      ...this.#soFar(),
      switches: figures.switches,
      blocked: this.#blocked,
      ...(this.#failure ? { failure: this.#failure } : {}),
    };
  }

  #claim(claim: string, cut: boolean): string {
    if (this.#failure) return `a violation in execution ${this.#checker.executions}`;
    return cut ? `stopped on the way to ${claim}` : claim;
  }
}
