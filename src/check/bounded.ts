/**
 * Every execution with at most so many preemptions, up to the order of independent events (Coons, Musuvathi, McKinley:
 * "Bounded Partial-Order Reduction", OOPSLA 2013).
 *
 * Preemption leaving a lane that could have gone on. Most bugs need one or two; the executions that have few are few too.
 * Algorithm  as exhaustive.ts, but the reversal of a race may have to begin earlier than at the race: where it would cost a
 *            preemption too many, a switch where an earlier run of events of one lane began may be free. So each race notes
 *            its lanes at all of those too. Lanes never sleep: what is known of a place that was reached with fewer
 *            preemptions left is not all of it. Leaving a lane that goes on only because nobody can is no preemption.
 * Claim      what races lead to within the bound: where lanes wait, one random program in a thousand has an execution within
 *            it that is not found (where none waits, none). Never "complete", unless nothing was cut by the bound.
 */

import type { Event } from "./event.js";
import { Exhaustive } from "./exhaustive.js";
import type { Lane } from "./lane.js";
import type { System } from "./strategy.js";
import { twice } from "./twice.js";

export class Bounded extends Exhaustive {
  readonly #bound: number;
  /** By place: preemptions on the way to it; whether the lane that went there could go on. */
  #spent = new Uint8Array(4096);
  #couldGoOn = new Uint8Array(4096);
  /** A lane was not tried somewhere for want of a preemption. */
  #cut = false;

  constructor(system: System, preemptions: number) {
    super(system);
    this.#bound = preemptions;
  }

  override get claim(): string {
    if (!this.#cut) return super.claim;
    const preemptions = this.#bound === 1 ? "1 preemption" : `${this.#bound} preemptions`;
    return `all that races lead to with at most ${preemptions}, up to the order of independent events`;
  }

  /** Whether the bound kept anything back. */
  override get bounded(): boolean {
    return this.#cut;
  }

  override carriesOn(lane: Lane): boolean {
    if (this.fresh) this.#couldGoOn[this.depth] = 1;
    return super.carriesOn(lane);
  }

  override choose(enabled: readonly Lane[], last: Lane | undefined): Lane | undefined {
    if (this.fresh) this.#couldGoOn[this.depth] = last && !last.nudged && enabled.includes(last) ? 1 : 0;
    return super.choose(enabled, last);
  }

  override performed(lane: Lane, event: Event, wrote: boolean, before: number, alone: boolean): void {
    const depth = this.depth;
    if (depth + 1 >= this.#spent.length) {
      this.#spent = twice(this.#spent);
      this.#couldGoOn = twice(this.#couldGoOn);
    }
    super.performed(lane, event, wrote, before, alone);
    this.#spent[depth + 1] = this.#spent[depth] + this.#costAt(depth, lane.id);
  }

  #costAt(place: number, lane: number): number {
    return place > 0 && this.#couldGoOn[place] === 1 && this.happens.laneOf[place - 1] !== lane ? 1 : 0;
  }

  protected override readonly sleeps = false;

  /** Of the lanes noted at a place, those that the bound allows. */
  protected override affordable(place: number, lanes: number): number {
    let left = lanes;
    for (let id = 0; 1 << id <= lanes; id++) {
      if ((left & (1 << id)) === 0 || this.#spent[place] + this.#costAt(place, id) <= this.#bound) continue;
      left &= ~(1 << id);
      this.#cut = true;
    }
    return left;
  }

  /** Every lane that can begin the reversal is noted, at the race and wherever a run of events of one lane began before it. */
  protected override tryBefore(e: number, newest: Lane): void {
    const lanes = this.beginners(e, newest);
    if (lanes === 0) return;
    this.backtrack[e] |= lanes;
    const { laneOf } = this.happens;
    for (let i = e; i >= 0; i--)
      if (i === 0 || laneOf[i - 1] !== laneOf[i]) this.backtrack[i] |= lanes | (1 << newest.id);
  }
}
