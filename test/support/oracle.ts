/** The oracle on a checker: told of each event once it took effect, which is when the next one is about to. */
import { Checker } from "../../src/check/checker.js";
import { type Event, Mark, mayWrite } from "../../src/check/event.js";
import type { CoreBuild } from "../../src/check/hooked.js";
import type { Lane } from "../../src/check/lane.js";
import { Oracle } from "../../src/check/oracle/oracle.js";
import type { LockOrder } from "../../src/check/oracle/order.js";
import { RandomWalk } from "../../src/check/random.js";
import type { Failure, Scenario } from "../../src/check/scenario.js";
import type { Watcher } from "../../src/check/scheduler.js";
import type { Layout, Policy, Tables } from "../../src/core/abi/mman.js";

export class WatchedChecker implements Watcher {
  readonly checker: Checker;
  readonly oracle: Oracle;
  readonly #event: Event = { kind: 0, address: 0, width: 0, site: 0 };
  #lane: Lane | undefined;
  #low = 0;
  #high = 0;

  constructor(
    build: CoreBuild,
    scenario: Scenario,
    policy: Policy,
    tables?: Tables,
    layout?: Layout,
    order?: LockOrder | null,
  ) {
    this.checker = new Checker(build, scenario, policy, tables, layout);
    this.oracle = new Oracle(this.checker.machine, this.checker.scheduler.lanes, order);
    this.checker.scheduler.watcher = this;
  }

  runSeed(seed: number): Failure | undefined {
    this.#lane = undefined;
    this.oracle.begin();
    return this.checker.run(new RandomWalk(seed), seed);
  }

  runSeeds(first: number, count: number): Failure | undefined {
    for (let seed = first; seed < first + count; seed++) {
      const failure = this.runSeed(seed);
      if (failure) return failure;
    }
    return undefined;
  }

  performing(lane: Lane): void {
    this.#tell();
    const { kind, address, width, site } = lane.event;
    const event = this.#event;
    event.kind = kind;
    event.address = address;
    event.width = width;
    event.site = site;
    this.#lane = lane;
    if (kind >= Mark.Begin || !mayWrite(kind)) return;
    const { words } = this.checker.machine;
    this.#low = words[address >>> 2];
    this.#high = words[(address >>> 2) + 1];
  }

  returned(lane: Lane): void {
    this.#tell();
    this.oracle.ended(lane);
  }

  deadlock(): string {
    this.#tell();
    return this.oracle.explainDeadlock();
  }

  #tell(): void {
    const lane = this.#lane;
    if (!lane) return;
    this.#lane = undefined;
    const { kind, address, width } = this.#event;
    const { words } = this.checker.machine;
    const changed = words[address >>> 2] !== this.#low || (width > 4 && words[(address >>> 2) + 1] !== this.#high);
    this.oracle.performed(lane, this.#event, kind < Mark.Begin && mayWrite(kind) && changed, this.#low);
  }
}
