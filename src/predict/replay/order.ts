/**
 * What an event waits for: events of other CPUs that were recorded before it and concern its pages.
 *
 *   a fault   the last call on its page
 *   a call    the calls and the faults in its range since the last calls there
 *
 * Each CPU does its events in order, so one of each other CPU is enough, the latest; what it has waited for before is not named again.
 */

import { PAGE } from "../workload.js";
import { Ranges } from "./ranges.js";
import type { Item } from "./streams.js";

export class Order {
  readonly #calls = new Ranges<Item>();
  /** By page: of each CPU, its last fault there. */
  readonly #faults = new Map<number, Map<number, Item>>();
  /** By CPU: how far it knows each other to be. */
  readonly #known: Int32Array[];

  constructor(cpus: number) {
    this.#known = Array.from({ length: cpus }, () => new Int32Array(cpus).fill(-1));
  }

  fault(item: Item, page: number): number[] {
    const call = this.#calls.at(page);
    const faults = this.#faults.get(page) ?? new Map<number, Item>();
    faults.set(item.stream, item);
    this.#faults.set(page, faults);
    return this.waits(item, call ? [call] : []);
  }

  call(item: Item, ranges: readonly (readonly [number, number])[]): number[] {
    const before: Item[] = [];
    for (const [start, end] of ranges) {
      for (const { value } of this.#calls.over(start, end)) before.push(value);
      for (const page of this.#pagesIn(start, end)) {
        before.push(...(this.#faults.get(page)?.values() ?? []));
        this.#faults.delete(page);
      }
      this.#calls.set(start, end, item);
    }
    return this.waits(item, before);
  }

  /** Pairs: a CPU, and the number of its event. */
  waits({ stream }: Item, before: readonly Item[]): number[] {
    const known = this.#known[stream];
    const latest = new Map<number, number>();
    for (const { stream: other, index } of before) {
      if (other !== stream && index > Math.max(known[other], latest.get(other) ?? -1)) latest.set(other, index);
    }
    for (const [other, index] of latest) known[other] = index;
    return [...latest].flat();
  }

  #pagesIn(start: number, end: number): number[] {
    if ((end - start) / PAGE > this.#faults.size) {
      return [...this.#faults.keys()].filter((page) => page >= start && page < end);
    }
    const pages: number[] = [];
    for (let page = start; page < end; page += PAGE) if (this.#faults.has(page)) pages.push(page);
    return pages;
  }
}
