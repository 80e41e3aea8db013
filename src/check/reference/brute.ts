/**
 * Every schedule, one after another, with no reduction: the truth that the strategies are measured against.
 *
 * What       a depth-first walk over who goes on at each place; memory is put back by running the way down again.
 * Once       with `once`, a place whose trace so far has been seen is left: what follows depends on nothing else. It is not
 *            a reduction that could be wrong in the way that the strategies' could: it compares whole pasts, not events.
 * Bound      with `preemptions`, a schedule may leave a lane that could go on at most so many times; one whose time limit may
 *            run out could not go on. A past then is known only together with who ran last and what is left to spend.
 */
import type { Lane } from "../lane.js";
import type { Strategy } from "../strategy.js";
import type { Program } from "./actor.js";
import { type CountOptions, type Counts, countWith } from "./count.js";
import type { World } from "./world.js";

export interface BruteOptions {
  once?: boolean;
  preemptions?: number;
}

/** Every trace of a program, or every one within so many preemptions: counted through pasts, each taken once. */
export function everyTrace(program: Program, preemptions?: number, options?: CountOptions): Counts {
  return countWith((world) => new EverySchedule(world, { once: true, preemptions }), program, options);
}

/** A place on the way down: who may be tried there, and what each choice leaves to spend. */
interface Place {
  readonly lanes: readonly Lane[];
  readonly left: readonly number[];
  at: number;
}

export class EverySchedule implements Strategy {
  readonly claim: string;
  readonly #options: BruteOptions;
  readonly #world: World;
  readonly #way: Place[] = [];
  readonly #seen = new Set<string>();
  #depth = 0;
  #left = 0;

  constructor(world: World, options: BruteOptions = {}) {
    this.#world = world;
    this.#options = options;
    this.claim = options.preemptions === undefined ? "every schedule" : `at most ${options.preemptions} preemptions`;
  }

  begin(): void {
    this.#depth = 0;
    this.#left = this.#options.preemptions ?? Number.POSITIVE_INFINITY;
  }

  choose(enabled: readonly Lane[], last: Lane | undefined): Lane | undefined {
    if (this.#depth === this.#way.length) {
      if (this.#options.once && this.#known(last)) return undefined;
      this.#way.push(this.#place(enabled, last));
    }
    const place = this.#way[this.#depth++];
    this.#left = place.left[place.at];
    return place.lanes[place.at];
  }

  #place(enabled: readonly Lane[], last: Lane | undefined): Place {
    const interrupts = last !== undefined && !last.nudged && enabled.includes(last);
    const lanes = enabled.filter((lane) => !interrupts || lane === last || this.#left > 0);
    return { lanes, left: lanes.map((lane) => (interrupts && lane !== last ? this.#left - 1 : this.#left)), at: 0 };
  }

  #known(last: Lane | undefined): boolean {
    let key = this.#world.form.key;
    if (this.#options.preemptions !== undefined) key += `\uffff${last?.id},${this.#left}`;
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    return false;
  }

  more(): boolean {
    while (this.#way.length > 0) {
      const place = this.#way[this.#way.length - 1];
      if (++place.at < place.lanes.length) return true;
      this.#way.pop();
    }
    return false;
  }
}
