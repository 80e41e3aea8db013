/** Durations, kept whole: quantiles are exact. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export class Samples {
  #values = new Float64Array(256);
  #count = 0;

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const more = new Float64Array(2 * this.#count);
      more.set(this.#values);
      this.#values = more;
    }
    this.#values[this.#count++] = value;
  }

  get count(): number {
    return this.#count;
  }

  get values(): Float64Array {
    return this.#values.subarray(0, this.#count);
  }

  /** 0 of none. */
  max(): number {
    return this.values.reduce((most, each) => Math.max(most, each), 0);
  }

  quantiles(): Quantiles {
    const sorted = Float64Array.from(this.values).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
  }
}
