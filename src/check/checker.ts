/**
 * One scenario on one build of the core under one policy, protection and layout, run as often as wanted.
 *
 *   once            boot, bring a CPU online for each actor, map what is there before, capture the memory
 *   each execution  every actor to its end under a strategy → results explained → all given back → memory put back
 */
import { Layout, type Policy, Tables } from "../core/abi/mman.js";
import { columns, type Span } from "./columns.js";
import { History } from "./history.js";
import { type CoreBuild, Machine } from "./hooked.js";
import { framesOf, mustConserve, mustHoldAtRest } from "./invariants.js";
import type { Lane } from "./lane.js";
import type { Operation } from "./operations.js";
import { memoryFor, prepare } from "./prepare.js";
import { RandomWalk } from "./random.js";
import type { Failure, Scenario } from "./scenario.js";
import { type Figures, type Observer, Scheduler } from "./scheduler.js";
import type { Strategy } from "./strategy.js";
import { Violation } from "./violation.js";

export class Checker implements Observer {
  readonly machine: Machine;
  readonly scheduler: Scheduler;
  readonly scenario: Scenario;
  executions = 0;
  rests = 0;
  #spans: Span[] = [];
  readonly #open = new Map<Lane, Span>();
  readonly #history = new History();
  readonly #frames: number;
  #strategy: Strategy | undefined;

  constructor(build: CoreBuild, scenario: Scenario, policy: Policy, tables = Tables.Rcu, layout = Layout.Page) {
    const cpus = scenario.actors.length;
    this.scenario = scenario;
    const bytes = memoryFor(scenario);
    this.machine = new Machine(build, bytes, 2 * cpus);
    this.machine.boot(bytes, cpus, policy, tables, layout);
    this.#frames = framesOf(this.machine);
    prepare(this.machine, scenario, this.#history);
    this.scheduler = new Scheduler(this.machine, scenario.actors);
  }

  get figures(): Figures {
    return this.scheduler.figures;
  }

  /** Runs one execution; returns what it broke, or undefined. */
  run(strategy: Strategy, seed = 0): Failure | undefined {
    this.executions++;
    this.#strategy = strategy;
    this.#spans = [];
    this.#open.clear();
    this.#history.clear();
    try {
      this.scheduler.run(strategy, this);
      if (this.scheduler.abandoned) return undefined;
      this.#judgeResults();
      mustConserve(this.machine, this.scenario.actors.length, this.#frames);
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof Violation)) throw thrown;
      const { trace } = this.scheduler;
      return {
        seed,
        rule: thrown.rule,
        text: thrown.message,
        hash: trace.hash,
        columns: columns(trace, this.scheduler.lanes, this.#spans, this.machine.sites),
      };
    } finally {
      this.machine.snapshot.restore();
    }
  }

  runSeed(seed: number): Failure | undefined {
    return this.run(new RandomWalk(seed), seed);
  }

  /** Runs seeds from `first` until one breaks something or `count` did not. */
  runSeeds(first: number, count: number): Failure | undefined {
    for (let seed = first; seed < first + count; seed++) {
      const failure = this.runSeed(seed);
      if (failure) return failure;
    }
    return undefined;
  }

  began(lane: Lane, { text }: Operation): void {
    const span: Span = { lane, text, begin: this.scheduler.trace.length, end: undefined, result: undefined };
    this.#spans.push(span);
    this.#open.set(lane, span);
  }

  ended(lane: Lane, operation: Operation, result: number): void {
    const span = this.#open.get(lane)!;
    span.end = this.scheduler.trace.length;
    span.result = result;
    for (const [page, action] of operation.actions(result)) {
      this.#history.add(page, { action, lane: lane.id, begin: span.begin, end: span.end });
    }
  }

  rested(): void {
    if (!(this.#strategy?.fresh ?? true)) return;
    this.rests++;
    mustHoldAtRest(this.machine);
  }

  #judgeResults(): void {
    const wrong = this.#history.unexplained();
    if (!wrong) return;
    const told = wrong.actions.map(({ action, lane }) => `actor ${lane} ${describe(action)}`);
    throw new Violation("results", `page ${wrong.page.toString(16)}: ${told.join(", ")}`);
  }
}

function describe(action: object): string {
  const { kind, ...rest } = action as { kind: string };
  return `${kind} ${JSON.stringify(rest)}`;
}
