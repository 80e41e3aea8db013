/**
 * One scenario on one build of the core under one policy, protection, layout and pretouch, run as often as wanted.
 *
 *   once            boot, bring a CPU online for each actor, map what is there before, capture the memory
 *   each execution  every actor to its end under a strategy → results explained → all given back → memory put back
 */
import { Layout, type Policy, Pretouch, Tables } from "../core/abi/mman.js";
import { columns, type Span } from "./columns.js";
import { History } from "./history.js";
import { type CoreBuild, Machine } from "./hooked.js";
import { framesOf, mustConserve, mustHoldAtRest } from "./invariants.js";
import type { Lane } from "./lane.js";
import { type Operation, PAGE } from "./operations.js";
import { Oracle } from "./oracle/oracle.js";
import type { LockOrder } from "./oracle/order.js";
import { memoryFor, prepare } from "./prepare.js";
import { RandomWalk } from "./random.js";
import type { Failure, Scenario } from "./scenario.js";
import { runsOf } from "./schedule.js";
import { type Figures, type Observer, Scheduler } from "./scheduler.js";
import type { Strategy, System } from "./strategy.js";
import { Violation } from "./violation.js";

export class Checker implements Observer {
  readonly machine: Machine;
  readonly scheduler: Scheduler;
  readonly oracle: Oracle;
  readonly scenario: Scenario;
  executions = 0;
  rests = 0;
  #spans: Span[] = [];
  readonly #open = new Map<Lane, Span>();
  /** The space that each lane's operation under way began in. */
  readonly #spaces = new Map<Lane, number>();
  readonly #history = new History();
  readonly #frames: number;
  #strategy: Strategy | undefined;

  constructor(
    build: CoreBuild,
    scenario: Scenario,
    policy: Policy,
    tables = Tables.Rcu,
    layout = Layout.Page,
    order?: LockOrder | null,
    pretouch = Pretouch.None,
  ) {
    const cpus = scenario.actors.length;
    this.scenario = scenario;
    const bytes = memoryFor(scenario);
    this.machine = new Machine(build, bytes, 2 * cpus);
    this.machine.boot(bytes, cpus, policy, tables, layout, pretouch);
    this.#frames = framesOf(this.machine);
    prepare(this.machine, scenario, this.#history);
    this.scheduler = new Scheduler(this.machine, scenario.actors);
    this.oracle = new Oracle(this.machine, this.scheduler.lanes, order);
  }

  /** What a search must know of the machine. */
  get system(): System {
    const { memory, words, plain } = this.machine;
    return {
      memoryBytes: memory.buffer.byteLength,
      lanes: this.scheduler.lanes.length,
      word: (address) => words[address >>> 2],
      touches: (cpu, address) => plain.interruptTouches(cpu, address) !== 0,
    };
  }

  get figures(): Figures {
    return this.scheduler.figures;
  }

  /** The operations of the last execution. */
  get spans(): readonly Span[] {
    return this.#spans;
  }

  /** Runs one execution; returns what it broke, or undefined. */
  run(strategy: Strategy, seed = 0): Failure | undefined {
    this.executions++;
    this.#strategy = strategy;
    this.#spans = [];
    this.#open.clear();
    this.#history.clear();
    try {
      this.oracle.begin();
      this.scheduler.run(strategy, this);
      if (this.scheduler.abandoned) return undefined;
      this.oracle.ended();
      this.#judgeResults();
      mustConserve(this.machine, this.scenario.actors.length, this.#frames);
      this.#judgeFiles();
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof Violation)) throw thrown;
      const { trace } = this.scheduler;
      return {
        seed,
        rule: thrown.rule,
        text: thrown.message,
        hash: trace.hash,
        runs: runsOf(trace),
        columns: columns(trace, this.scheduler.lanes, this.#spans, this.machine.sites),
      };
    } finally {
      this.machine.snapshot.restore();
      this.machine.host.restore();
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
    this.#spaces.set(lane, this.machine.host.spaceOf(this.machine, lane.cpu));
  }

  ended(lane: Lane, operation: Operation, result: number): void {
    const span = this.#open.get(lane)!;
    span.end = this.scheduler.trace.length;
    span.result = result;
    const home = this.#spaces.get(lane)!;
    for (const [page, action, space = home] of operation.actions(result)) {
      this.#history.add(page, { action, lane: lane.id, space, begin: span.begin, end: span.end });
    }
  }

  performed(lane: Lane, wrote: boolean, before: number): void {
    this.oracle.performed(lane, lane.event, wrote, before);
  }

  returned(lane: Lane): void {
    this.oracle.ended(lane);
  }

  stuck(): string {
    return this.oracle.explainDeadlock();
  }

  endless(): string {
    return this.oracle.explainLivelock();
  }

  rested(): void {
    if (!(this.#strategy?.fresh ?? true)) return;
    this.rests++;
    mustHoldAtRest(this.machine);
  }

  /** All is written back: what the files hold is what was stored last. */
  #judgeFiles(): void {
    const { files } = this.machine.host;
    if (files.size === 0) return;
    const after = { lane: -1, begin: Number.MAX_SAFE_INTEGER, end: Infinity };
    for (const { at, size, bytes } of files.values()) {
      for (let first = 0; first < size; first += PAGE) {
        for (const offset of this.#history.offsets(at + first)) {
          const action = { kind: "look", offset, value: bytes[first + offset] } as const;
          this.#history.add(at + first, { action, ...after });
        }
      }
    }
    this.#judgeResults();
  }

  #judgeResults(): void {
    const wrong = this.#history.unexplained();
    if (!wrong) return;
    const told = wrong.actions.map(
      ({ action, lane }) => `${lane < 0 ? "the file at last" : `actor ${lane}`} ${describe(action)}`,
    );
    throw new Violation("results", `page ${wrong.page.toString(16)}: ${told.join(", ")}`);
  }
}

function describe(action: object): string {
  const { kind, ...rest } = action as { kind: string };
  return `${kind} ${JSON.stringify(rest)}`;
}
