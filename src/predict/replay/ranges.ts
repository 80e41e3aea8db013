/** Disjoint ranges [start, end) in order, each with a value. A new one takes the place of what it covers. */
import { bisect } from "./bisect.js";

export interface Range<T> {
  readonly start: number;
  readonly end: number;
  readonly value: T;
}

export class Ranges<T> {
  #all: Range<T>[] = [];

  set(start: number, end: number, value: T): void {
    const first = this.#firstEndingAbove(start);
    const kept: Range<T>[] = [];
    let after = first;
    for (; after < this.#all.length && this.#all[after].start < end; after++) {
      const old = this.#all[after];
      if (old.start < start) kept.push({ ...old, end: start });
    }
    kept.push({ start, end, value });
    const last = this.#all[after - 1];
    if (after > first && last.end > end) kept.push({ ...last, start: end });
    this.#all.splice(first, after - first, ...kept);
  }

  at(address: number): T | undefined {
    const found = this.#all[this.#firstEndingAbove(address)];
    return found && found.start <= address ? found.value : undefined;
  }

  /** What overlaps [start, end), whole. */
  over(start: number, end: number): Range<T>[] {
    const first = this.#firstEndingAbove(start);
    let after = first;
    while (after < this.#all.length && this.#all[after].start < end) after++;
    return this.#all.slice(first, after);
  }

  /** The parts of [start, end) that nothing covers. */
  gaps(start: number, end: number): [number, number][] {
    const gaps: [number, number][] = [];
    let at = start;
    for (const range of this.over(start, end)) {
      if (range.start > at) gaps.push([at, range.start]);
      at = range.end;
    }
    if (at < end) gaps.push([at, end]);
    return gaps;
  }

  #firstEndingAbove(address: number): number {
    return bisect(this.#all.length, (place) => this.#all[place].end > address);
  }
}
