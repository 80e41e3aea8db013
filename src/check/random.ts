/**
 * The seeded random walk.
 *
 * A lane carries on for a random number of events, then one of the enabled lanes is drawn. How long is drawn anew for
 * each execution, from one event to some thousands: races need one actor to stand in a narrow place while another does
 * a whole operation, which a switch at every event almost never gives.
 */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import type { Lane } from "./lane.js";
import type { Strategy } from "./scheduler.js";

/** Longest runs, one of which is drawn for each execution. */
const RUNS = [1, 4, 16, 64, 256, 1024];

export class RandomWalk implements Strategy {
  readonly #random: RandomGenerator;
  #longest = 1;
  #left = 0;

  constructor(readonly seed: number) {
    // Spread, or neighbouring seeds would begin with the same draws.
    this.#random = xoroshiro128plus(Math.imul(seed + 1, 0x9e3779b1));
  }

  begin(): void {
    this.#longest = RUNS[this.#draw(RUNS.length)];
    this.#left = 0;
  }

  carriesOn(): boolean {
    return this.#left-- > 0;
  }

  choose(enabled: readonly Lane[]): Lane {
    this.#left = this.#longest === 1 ? 0 : this.#draw(this.#longest);
    return enabled[this.#draw(enabled.length)];
  }

  #draw(below: number): number {
    return uniformInt(this.#random, 0, below - 1);
  }
}
