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
 * Disabling  a race with an event that made the lane able to go on can not be reversed; what took that ability away before
 *            can: interrupts turned off before they were turned on, a lock taken again before it was freed again. An
 *            interrupt whose reason its actor deals with itself never comes, and races all the same.
 */
import { Pending } from "../core/abi/pending.js";
import { Step } from "../core/abi/step.js";
import { dependsOn } from "./depends.js";
import { type Event, Mark } from "./event.js";
import { HappensBefore, LANES } from "./happens.js";
import { type Lane, LaneState } from "./lane.js";
import type { Strategy, System } from "./strategy.js";

export interface SearchFigures {
  /** Executions given up because what followed was known. */
  blocked: number;
  races: number;
  deepest: number;
}

export class Exhaustive implements Strategy {
  readonly figures: SearchFigures = { blocked: 0, races: 0, deepest: 0 };
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
  #finished = false;
  readonly #onRace = (earlier: number) => this.#race(earlier);
  #racing!: Lane;

  readonly #system: System;

  constructor(system: System) {
    this.happens = new HappensBefore(system.memoryBytes, system.lanes);
    this.#system = system;
  }

  /** Whether a bound kept anything back. */
  get bounded(): boolean {
    return false;
  }

  get claim(): string {
    return "every execution, up to the order of independent events";
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
      const same = happens.kind[depth] === event.kind && happens.address[depth] === event.address;
      if (!same || happens.site[depth] !== event.site) throw new Error(`not deterministic: event ${depth}`);
      return;
    }
    this.#ensure(depth + 1);
    this.done[depth] |= 1 << lane.id;
    this.backtrack[depth] |= 1 << lane.id;
    if (wrote) this.doneWrote[depth] |= 1 << lane.id;
    if (alone && event.kind === Mark.Pause) this.#waitsInVain(lane);
    this.#racing = lane;
    this.happens.add(lane, event, wrote, before, alone, this.#onRace);
    if (wrote && lane.actor === undefined && event.kind < Mark.Begin) this.#forestalled(lane, event, before);
    this.#sleepOn(depth, lane, event, wrote, alone);
    this.backtrack[depth + 1] = 0;
    this.done[depth + 1] = 0;
    this.doneWrote[depth + 1] = 0;
  }

  ended(): void {
    this.figures.deepest = Math.max(this.figures.deepest, this.#depth);
    if (this.#depth < this.#wayLength) return;
    for (const lane of this.lanes) {
      if (lane.state === LaneState.Stopped && lane.event.kind === Mark.Pause) this.#waitsInVain(lane);
    }
  }

  /** Goes back to the deepest place with a lane to try. */
  more(): boolean {
    if (this.#finished) return false;
    for (let n = this.happens.length; n >= 0; n--) {
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

  /** An actor takes itself what its interrupt would have taken, or goes idle: the interrupt may come first, though here it does not. */
  #forestalled(lane: Lane, { address, kind }: Event, before: number): void {
    const taken = address === lane.pendingAddress && kind === Step.AtomicRmw && (before & HEEDED) !== 0;
    const idle =
      address === lane.idleAddress && before === 0 && (this.#system.word(lane.pendingAddress) & HEEDED) !== 0;
    if ((!taken && !idle) || lane.irqDepth !== 0) return;
    const interrupt = this.lanes.find(({ actor }) => actor === lane);
    if (!interrupt) return;
    this.#racing = interrupt;
    this.happens.probe(interrupt, interrupt.event, this.#onRace);
  }

  /** `earlier` and the newest event race. */
  #race(earlier: number): void {
    const { happens } = this;
    const lane = this.#racing;
    this.figures.races++;
    const other = this.lanes[happens.laneOf[earlier]];
    if (other.actor === lane) {
      // The actor stood while its interrupt ran: it can only come before all of it.
      this.tryBefore(this.#beginningOf(earlier), lane);
      return;
    }
    const disabler = this.#disabling(earlier, lane);
    if (disabler === REVERSIBLE) this.tryBefore(earlier, lane);
    else if (disabler >= 0) this.tryBefore(disabler, lane);
  }

  /** REVERSIBLE; or `earlier` made the newest event possible, and this is what had made it impossible, or -1. */
  #disabling(earlier: number, lane: Lane): number {
    const { happens } = this;
    const { kind } = lane.event;
    const kindOfEarlier = happens.kind[earlier];
    if (kind === Mark.Begin && lane.actor) {
      if (kindOfEarlier === Mark.IrqOn) return this.#markBefore(earlier, Mark.IrqOff);
      if (kindOfEarlier === Mark.RcuExit) {
        const entered = this.#markBefore(earlier, Mark.RcuEnter);
        if (entered >= 0) this.tryBefore(entered, lane);
        return REVERSIBLE;
      }
      if (happens.address[earlier] === lane.idleAddress && happens.before[earlier] !== 0) {
        return happens.writeBefore(earlier, lane.idleAddress);
      }
      return REVERSIBLE;
    }
    if (kind === Mark.Pause && this.#changedAll(earlier, lane)) {
      this.#tryBeforeChangedBack(earlier, lane);
      const i = lane.watched.indexOf(happens.address[earlier] & ~3);
      const one = happens.width[earlier] <= 4 && i >= 0 && i < lane.watching;
      return one && happens.before[earlier] === lane.watchedValue[i] ? IMPOSSIBLE : REVERSIBLE;
    }
    if (kind === Mark.Wake && kindOfEarlier === Step.Notify) return IMPOSSIBLE;
    return REVERSIBLE;
  }

  /** Whether an event made every change that ended a wait: before it, the wait may not have been able to end. */
  #changedAll(i: number, lane: Lane): boolean {
    const { happens } = this;
    for (let k = 0; k < lane.watching; k++) {
      if ((lane.changed & (1 << k)) !== 0 && !happens.coversWord(i, lane.watched[k] >>> 2)) return false;
    }
    return lane.changed !== 0;
  }

  /**
   * Before place i, the latest event for each word that made it what the waiting lane had seen: before that, the wait could end.
   * While the end of the wait is being added, or probed.
   */
  #tryBeforeChangedBack(i: number, lane: Lane): void {
    const { happens } = this;
    for (let k = 0; k < lane.watching; k++) {
      const word = lane.watched[k] >>> 2;
      for (let j = i - 1; j >= 0; j--) {
        if (happens.wrote[j] === 0 || happens.kind[j] >= Mark.Begin) continue;
        if (!happens.coversWord(j, word)) continue;
        // What was there before is known of the first word only.
        const known = happens.address[j] >>> 2 === word;
        if ((known && happens.before[j] === lane.watchedValue[k]) || !happens.clockWithout(j)) continue;
        this.tryBefore(j, lane);
        if (known) break;
      }
    }
  }

  /** A wait that does not end, or ends because nobody else can go on, might have ended before. */
  #waitsInVain(lane: Lane): void {
    this.#racing = lane;
    this.happens.probe(lane, lane.event, NOTHING);
    this.#tryBeforeChangedBack(this.happens.length, lane);
  }

  #markBefore(i: number, kind: number): number {
    const { happens } = this;
    const lane = happens.laneOf[i];
    for (let k = happens.ownIndex(i) - 1; k >= 1; k--) {
      const at = happens.placeOf(lane, k);
      if (happens.kind[at] === kind && happens.wrote[at] === 1) return at;
    }
    return IMPOSSIBLE;
  }

  #beginningOf(i: number): number {
    const { happens } = this;
    const lane = happens.laneOf[i];
    let k = happens.ownIndex(i);
    while (happens.kind[happens.placeOf(lane, k)] !== Mark.Begin) k--;
    return happens.placeOf(lane, k);
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
    const wider = (old: Uint8Array): Uint8Array<ArrayBuffer> => {
      const made = new Uint8Array(old.length * 2);
      made.set(old);
      return made;
    };
    this.backtrack = wider(this.backtrack);
    this.done = wider(this.done);
    this.asleep = wider(this.asleep);
    this.doneWrote = wider(this.doneWrote);
    this.asleepWrote = wider(this.asleepWrote);
    this.#way = wider(this.#way);
  }
}

const NOTHING = () => {};
const HEEDED = Pending.Flush | Pending.Quiesce;
const REVERSIBLE = -2;
const IMPOSSIBLE = -1;
