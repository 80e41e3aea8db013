/** bench/median.ts: what several samples of one figure come to. */
export interface Spread {
  /** The median, and the quartiles around it. */
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

export function quartiles(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => sorted[Math.round((sorted.length - 1) * q)] as number;
  return { rate: at(0.5), low: at(0.25), high: at(0.75) };
}

/** Samples by key, in the order in which the keys first came. */
export class Samples {
  private readonly seen = new Map<string, number[]>();

  /** A run that Ctrl-C ended has no rate, and is none. */
  note(key: string, rate: number): void {
    if (Number.isFinite(rate)) this.seen.set(key, [...(this.seen.get(key) ?? []), rate]);
  }

  rows(): [key: string, spread: Spread][] {
    return [...this.seen].map(([key, rates]) => [key, quartiles(rates)]);
  }
}
