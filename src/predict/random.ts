/** Choices from a seed: the same seed, the same choices. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";

const FINE = 1 << 20;

export class Random {
  readonly #generator: RandomGenerator;

  constructor(seed: number) {
    // Spread, or neighbouring seeds would begin with the same draws.
    this.#generator = xoroshiro128plus(Math.imul(seed + 1, 0x9e3779b1));
  }

  /** A whole number, 0 to n − 1. */
  below(n: number): number {
    return uniformInt(this.#generator, 0, n - 1);
  }

  /** From `least` to `most`. */
  between(least: number, most: number): number {
    return least + ((most - least) * this.below(FINE)) / FINE;
  }
}
