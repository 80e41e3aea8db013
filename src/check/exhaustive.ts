/**
 * Every execution, once for each order of its dependent events: source-set dynamic partial-order reduction with sleep sets
 * (Abdulla, Aronis, Jonsson, Sagonas: "Source Sets", JACM 2017).
 *
 * Problem    two executions that differ in the order of independent events end alike; there are far more of those than of
 *            orders that matter.
 * Idea       run one execution. For each race in it, some other execution must have the two events the other way round:
 *            note, at the place before the first of them, a lane that starts such an execution. Go back to the deepest
 *            place with a lane noted, and run from there.
 *   place      state before event n: `backtrack` lanes to try here, `done` those tried, `asleep` those whose executions from
 *              here are known from an earlier place
 * Source set a race (e, e') asks for the events after e that do not depend on e, then e'. Any lane that can begin such a
 *            sequence will do: so nothing is noted when one of them is noted, done or asleep already.
 * Sleep sets a lane tried at a place sleeps in its siblings, until an event that its next one depends on.
 *
 * Re-run     memory is put back to the start and the way down is run again: what was known of those events stays (happens.ts
 *            cuts only what comes after), and is compared: an execution that goes another way is a fault of the checker.
 * Reversal   of interrupts and waits is not always possible where the race is: reversal.ts.
 */
import { LANES } from "./accesses.js";
import { dependsOn } from "./depends.js";
import { type Event, Mark } from "./event.js";
import { HappensBefore } from "./happens.js";
import { type Lane, LaneState } from "./lane.js";
import { Reversal } from "./reversal.js";
import type { Strategy, System } from "./strategy.js";
import { twice } from "./twice.js";

/** What it claims. */
export const EVERY = "every execution, up to the order of independent events";
const NO_RACES = () => {};

export interface SearchFigures {
  /** Executions given up because what followed was known. */
  blocked: number;
}

export class Exhaustive implements Strategy {
  readonly figures: SearchFigures = { blocked: 0 };
  readonly happens: HappensBefore;
  /** By place. */
  protected backtrack = new Uint8Array(4096);
  protected done = new Uint8Array(4096);
  protected asleep = new Uint8Array(4096);
  /** Of the lanes done, or asleep: whose event changed something. It will again, as long as it sleeps. */
  protected doneWrote = new Uint8Array(4096);
  protected asleepWrote = new Uint8Array(4096);
  /** Lane taken at each place of the way down. */
  #way = new Uint8Array(4096);
  /** Length of the way down. */
  #wayLength = 0;
  #depth = 0;
  protected lanes: readonly Lane[] = [];
  /** Places before this one are another's (subtree.ts): the way leads through them, and nothing is tried there. */
  protected floor = 0;
  #finished = false;
  readonly #reversal: Reversal;

  readonly #system: System;

  constructor(system: System) {
    this.happens = new HappensBefore(system.memoryBytes, system.lanes);
    this.#system = system;
    this.#reversal = new Reversal(this.happens, system, (e, newest) => this.tryBefore(e, newest));
  }

  /** Whether a bound kept anything back. */
  get bounded(): boolean {
    return false;
  }

  get claim(): string {
    return EVERY;
  }

  /** Events so far in this execution. */
  protected get depth(): number {
    return this.#depth;
  }

  /** True where no execution has been yet: what holds at rest need not be asked again before. */
  get fresh(): boolean {
    return this.#depth >= this.#wayLength;
  }

  begin(lanes: readonly Lane[]): void {
    this.lanes = lanes;
    this.#reversal.begin(lanes);
    this.#depth = 0;
  }

  carriesOn(lane: Lane): boolean {
    const depth = this.#depth;
    if (depth < this.#wayLength) return this.#way[depth] === lane.id;
    return (this.asleep[depth] & (1 << lane.id)) === 0;
  }

  choose(enabled: readonly Lane[], last: Lane | undefined): Lane | undefined {
    const depth = this.#depth;
    if (depth < this.#wayLength) {
      const planned = enabled.find((lane) => lane.id === this.#way[depth]);
      if (planned) return planned;
      if (depth < this.#wayLength - 1)
        throw new Error(`not deterministic: lane ${this.#way[depth]} stands at event ${depth}`);
      return this.#insteadOf(this.lanes[this.#way[depth]], enabled);
    }
    const asleep = this.asleep[depth];
    let chosen = last && (asleep & (1 << last.id)) === 0 && enabled.includes(last) ? last : undefined;
    chosen ??= enabled.find((lane) => (asleep & (1 << lane.id)) === 0);
    if (!chosen) {
      this.figures.blocked++;
      return undefined;
    }
    for (const lane of enabled) if (lane.nudged) this.backtrack[depth] |= 1 << lane.id;
    return chosen;
  }

  /** The lane to try can not go on here: its interrupt stands in the way, or nothing does what was hoped for. */
  #insteadOf(planned: Lane, enabled: readonly Lane[]): Lane | undefined {
    const depth = this.#depth;
    const other = enabled.find((lane) => lane.actor === planned);
    if (other && ((this.done[depth] | this.asleep[depth]) & (1 << other.id)) === 0) {
      this.#way[depth] = other.id;
      this.done[depth] |= 1 << other.id;
      return other;
    }
    this.figures.blocked++;
    return undefined;
  }

  performed(lane: Lane, event: Event, wrote: boolean, before: number, alone: boolean): void {
    const depth = this.#depth++;
    if (depth < this.#wayLength - 1) {
      const { happens } = this;
      if (depth === happens.length) {
        // Another has been here, and seen its races.
        this.#ensure(depth + 1);
        happens.add(lane, event, wrote, before, alone, NO_RACES);
        return;
      }
      const same = happens.kind[depth] === event.kind && happens.address[depth] === event.address;
      if (!same || happens.site[depth] !== event.site) throw new Error(`not deterministic: event ${depth}`);
      return;
    }
    this.#ensure(depth + 1);
    this.done[depth] |= 1 << lane.id;
    this.backtrack[depth] |= 1 << lane.id;
    if (wrote) this.doneWrote[depth] |= 1 << lane.id;
    if (alone && event.kind === Mark.Pause) this.#reversal.waitsInVain(lane);
    this.#reversal.adding(lane);
    this.happens.add(lane, event, wrote, before, alone, this.#reversal.onRace);
    if (wrote && lane.actor === undefined && event.kind < Mark.Begin) this.#reversal.forestalled(lane, event, before);
    this.#sleepOn(depth, lane, event, wrote, alone);
    this.backtrack[depth + 1] = 0;
    this.done[depth + 1] = 0;
    this.doneWrote[depth + 1] = 0;
  }

  ended(): void {
    if (this.#depth < this.#wayLength) return;
    for (const lane of this.lanes) {
      if (lane.state === LaneState.Stopped && lane.event.kind === Mark.Pause) this.#reversal.waitsInVain(lane);
    }
  }

  /** Goes back to the deepest place with a lane to try. */
  more(): boolean {
    if (this.#finished) return false;
    for (let n = this.happens.length; n >= this.floor; n--) {
      let left = this.backtrack[n] & ~this.done[n] & ~this.asleep[n];
      if (left !== 0) left = this.affordable(n, left);
      if (left === 0) continue;
      const lane = 31 - Math.clz32(left & -left);
      this.goBack(n, lane);
      return true;
    }
    this.#finished = true;
    return false;
  }

  /** The next execution runs down to place n, and from there with `lane`. Who was tried there sleeps. */
  protected goBack(n: number, lane: number): void {
    if (this.sleeps) {
      this.asleep[n] |= this.done[n];
      this.asleepWrote[n] |= this.doneWrote[n];
    }
    this.done[n] |= 1 << lane;
    for (let i = 0; i < n; i++) this.#way[i] = this.happens.laneOf[i];
    this.#way[n] = lane;
    this.#wayLength = n + 1;
    this.happens.cut(n);
  }

  /** Forgets all; the executions are now those that begin with `way`. Who sleeps at the last place of it is given. */
  protected startFrom(way: Uint8Array, asleep: number, asleepWrote: number): void {
    this.happens.cut(0);
    while (way.length >= this.#way.length) this.#ensure(this.#way.length);
    this.#way.set(way);
    this.#wayLength = way.length;
    this.floor = way.length;
    this.#finished = false;
    const last = Math.max(0, way.length - 1);
    for (const masks of [this.backtrack, this.done, this.doneWrote]) masks[last] = 0;
    this.asleep[last] = asleep;
    this.asleepWrote[last] = asleepWrote;
    if (way.length > 0) this.done[last] = 1 << way[last];
  }

  /** Who sleeps at the next place: those here whose next event does not depend on this one. */
  #sleepOn(depth: number, lane: Lane, event: Event, wrote: boolean, alone: boolean): void {
    let next = alone ? 0 : this.asleep[depth] & ~(1 << lane.id);
    const writes = this.asleepWrote[depth];
    if (next !== 0) {
      for (const other of this.lanes) {
        const bit = 1 << other.id;
        if ((next & bit) === 0) continue;
        if (dependsOn(other, (writes & bit) !== 0, lane, event, wrote, this.#system.touches)) next &= ~bit;
      }
    }
    this.asleepWrote[depth + 1] = writes & next;
    this.asleep[depth + 1] = next;
  }

  /**
   * Some execution from the place before event e has: what came after e without depending on it, then the newest event. Notes a
   * lane that begins one, unless one is noted.
   */
  protected tryBefore(e: number, newest: Lane): void {
    const lanes = this.beginners(e, newest);
    if ((lanes & (this.backtrack[e] | this.done[e] | this.asleep[e])) !== 0) return;
    const own = 1 << newest.id;
    this.backtrack[e] |= (lanes & own) !== 0 ? own : lanes & -lanes;
  }

  /** The lanes that begin such an execution: whose first event there needs none of the others there. 0 if there is none. */
  protected beginners(e: number, newest: Lane): number {
    const { happens } = this;
    const now = happens.clockWithout(e);
    if (!now) return 0;
    const laneE = happens.laneOf[e];
    const ownE = happens.ownIndex(e);
    let lanes = 0;
    for (const { id } of this.lanes) {
      const k = happens.countOf(e, id) + 1;
      let clock = now;
      let at = 0;
      if (id !== newest.id || k !== happens.countNow(id)) {
        const place = happens.placeOf(id, k);
        if (place < 0) continue;
        clock = happens.clock;
        at = place * LANES;
        if (clock[at + laneE] >= ownE) continue;
      }
      let begins = true;
      for (let q = 0; q < this.lanes.length && begins; q++) {
        if (q !== id && clock[at + q] > happens.countOf(e, q)) begins = false;
      }
      if (begins) lanes |= 1 << id;
    }
    return lanes;
  }

  /** Lanes that were tried sleep in their siblings. */
  protected readonly sleeps: boolean = true;

  /** Of the lanes noted at a place, those that may be tried. */
  protected affordable(_place: number, lanes: number): number {
    return lanes;
  }

  #ensure(depth: number): void {
    if (depth < this.#way.length) return;
    this.backtrack = twice(this.backtrack);
    this.done = twice(this.done);
    this.asleep = twice(this.asleep);
    this.doneWrote = twice(this.doneWrote);
    this.asleepWrote = twice(this.asleepWrote);
    this.#way = twice(this.#way);
  }
}
