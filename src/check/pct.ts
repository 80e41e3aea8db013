/**
 * Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010).
 *
 * Idea       a bug of depth d needs d ordering constraints only. Lanes get distinct random priorities, the highest that can
 *            go on runs; at d - 1 random events the running lane falls below all others.
 * Promise    each execution finds a given bug of depth d with probability at least 1 / (n k^(d-1)): n lanes, k events.
 *            k is learned: the longest execution so far. A lane whose wait ends for no reason falls too, or it could starve
 *            the one it waits for. The first execution, which only measures, is one of the sample.
 */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { type Event, Mark } from "./event.js";
import type { Lane } from "./lane.js";
import type { Strategy } from "./strategy.js";

export class Pct implements Strategy {
  readonly #random: RandomGenerator;
  readonly #depth: number;
  #priority: number[] = [];
  #changes: number[] = [];
  #events = 0;
  #longest = 1;
  #lowest = 0;
  #lanes = 1;
  #executions = 0;

  /** `depth` at least 1: how many ordering constraints the bug may need. */
  constructor(seed: number, depth: number) {
    this.#random = xoroshiro128plus(Math.imul(seed + 1, 0x9e3779b1));
    this.#depth = depth;
  }

  get claim(): string {
    const k = this.#longest ** (this.#depth - 1);
    const each = 1 / (this.#lanes * k);
    const all = 1 - (1 - each) ** this.#executions;
    return `a given bug of depth ${this.#depth} is found with probability at least ${all.toPrecision(2)}`;
  }

  begin(lanes: readonly Lane[]): void {
    this.#lanes = lanes.length;
    this.#longest = Math.max(this.#longest, this.#events);
    this.#events = 0;
    this.#lowest = 0;
    this.#executions++;
    this.#priority = lanes.map((_, i) => i + 1);
    for (let i = lanes.length - 1; i > 0; i--) {
      const j = uniformInt(this.#random, 0, i);
      [this.#priority[i], this.#priority[j]] = [this.#priority[j], this.#priority[i]];
    }
    this.#changes = Array.from({ length: this.#depth - 1 }, () => uniformInt(this.#random, 1, this.#longest));
  }

  choose(enabled: readonly Lane[]): Lane {
    let chosen = this.#highest(enabled);
    while (this.#changes.includes(this.#events)) {
      this.#changes.splice(this.#changes.indexOf(this.#events), 1);
      this.#fall(chosen);
      chosen = this.#highest(enabled);
    }
    return chosen;
  }

  performed(lane: Lane, { kind }: Event, _wrote: boolean, _before: number, alone: boolean): void {
    this.#events++;
    if (alone && kind === Mark.Pause) this.#fall(lane);
  }

  #highest(enabled: readonly Lane[]): Lane {
    return enabled.reduce((a, b) => (this.#priority[b.id] > this.#priority[a.id] ? b : a));
  }

  #fall(lane: Lane): void {
    this.#priority[lane.id] = this.#lowest--;
  }
}
