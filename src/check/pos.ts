/**
 * Partial-order sampling (Yuan, Yang, Gu, CAV 2018).
 *
 * Idea       every event that is about to happen has a random priority; the highest happens. Those that depend on what just
 *            happened get a new one. So independent events do not use up the draws that decide the order of dependent ones.
 * Promise    every execution has a chance; each partial order's is exponentially better than a random walk's.
 */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { dependsOn } from "./depends.js";
import { type Event, mayWrite } from "./event.js";
import type { Lane } from "./lane.js";
import type { Strategy, System } from "./strategy.js";

export class Pos implements Strategy {
  readonly claim = "partial-order sampling";
  readonly #random: RandomGenerator;
  readonly #system: System;
  #lanes: readonly Lane[] = [];
  readonly #priority = new Float64Array(16);

  constructor(seed: number, system: System) {
    this.#random = xoroshiro128plus(Math.imul(seed + 1, 0x9e3779b1));
    this.#system = system;
  }

  begin(lanes: readonly Lane[]): void {
    this.#lanes = lanes;
    for (const lane of lanes) this.#draw(lane);
  }

  choose(enabled: readonly Lane[]): Lane {
    return enabled.reduce((a, b) => (this.#priority[b.id] > this.#priority[a.id] ? b : a));
  }

  /** `lane`'s own next event is not known yet: it is drawn anew in any case. */
  performed(lane: Lane, event: Event, wrote: boolean): void {
    this.#draw(lane);
    const { touches } = this.#system;
    for (const other of this.#lanes) {
      if (other === lane) continue;
      if (dependsOn(other, mayWrite(other.event.kind), lane, event, wrote, touches)) this.#draw(other);
    }
  }

  #draw(lane: Lane): void {
    this.#priority[lane.id] = uniformFloat64(this.#random);
  }
}
