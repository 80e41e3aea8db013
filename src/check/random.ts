/**
 * The seeded random walk.
 *
 * A lane carries on for a random number of events, then one of the enabled lanes is drawn. Three executions in four draw
 * that number anew each time, every order of magnitude alike: races need one actor to stand in a narrow place while
 * another does a whole operation, which a switch at every event almost never gives. The fourth kind switches at every
 * event, or every few.
 */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import type { Lane } from "./lane.js";
import type { Strategy } from "./strategy.js";

/** A run is at most 2^12 events: longer than any operation of the scenarios. */
const LONGEST_LOG = 12;
const RESTLESS_LOG = 2;

export class RandomWalk implements Strategy {
  readonly claim = "a random walk";
  readonly #random: RandomGenerator;
  #longestLog = 0;
  #left = 0;

  constructor(readonly seed: number) {
    // Spread, or neighbouring seeds would begin with the same draws.
    this.#random = xoroshiro128plus(Math.imul(seed + 1, 0x9e3779b1));
  }

  begin(): void {
    this.#longestLog = this.#draw(4) === 0 ? RESTLESS_LOG : LONGEST_LOG;
    this.#left = 0;
  }

  carriesOn(): boolean {
    return this.#left-- > 0;
  }

  choose(enabled: readonly Lane[]): Lane {
    this.#left = this.#draw(1 << this.#draw(this.#longestLog + 1));
    return enabled[this.#draw(enabled.length)];
  }

  #draw(below: number): number {
    return below === 1 ? 0 : uniformInt(this.#random, 0, below - 1);
  }
}
