/**
 * From a race to where it can be turned round.
 *
 * A race (e, e') asks for an execution in which e' comes before e. That is tried at the place before e, unless
 *   interrupts   e is an event of an interrupt and e' its actor's: the actor stood, so it is tried before the interrupt began
 *   disabling    e made e' possible: what had made it impossible is turned round instead: interrupts off before they were on
 *                again, idle before it was awake again, a word that was what the waiting lane had seen
 *   never        e' did not happen at all, though it could have: an interrupt whose reason its actor dealt with itself, or
 *                that found its CPU idle; a wait that did not end, or ended only because nobody else could go on
 */
import { Pending } from "../core/abi/pending.js";
import { Step } from "../core/abi/step.js";
import { type Event, Mark } from "./event.js";
import type { HappensBefore } from "./happens.js";
import type { Lane } from "./lane.js";
import type { System } from "./strategy.js";

const NOTHING = () => {};
const HEEDED = Pending.Flush | Pending.Quiesce;
const REVERSIBLE = -2;
const IMPOSSIBLE = -1;

export class Reversal {
  readonly onRace = (earlier: number) => this.#race(earlier);
  readonly #happens: HappensBefore;
  readonly #system: System;
  readonly #tryBefore: (e: number, newest: Lane) => void;
  #lanes: readonly Lane[] = [];
  #racing!: Lane;

  /** `tryBefore(e, newest)`: the newest event, or one that is probed, is to come before event e in some execution. */
  constructor(happens: HappensBefore, system: System, tryBefore: (e: number, newest: Lane) => void) {
    this.#happens = happens;
    this.#system = system;
    this.#tryBefore = tryBefore;
  }

  begin(lanes: readonly Lane[]): void {
    this.#lanes = lanes;
  }

  /** Before an event of `lane` is added, with onRace. */
  adding(lane: Lane): void {
    this.#racing = lane;
  }

  /** An actor takes itself what its interrupt would have taken, or goes idle: the interrupt may come first, though here it does not. */
  forestalled(lane: Lane, { address, kind }: Event, before: number): void {
    const taken = address === lane.pendingAddress && kind === Step.AtomicRmw && (before & HEEDED) !== 0;
    const idle =
      address === lane.idleAddress && before === 0 && (this.#system.word(lane.pendingAddress) & HEEDED) !== 0;
    if ((!taken && !idle) || lane.irqDepth !== 0) return;
    const interrupt = this.#lanes.find(({ actor }) => actor === lane);
    if (!interrupt) return;
    this.#racing = interrupt;
    this.#happens.probe(interrupt, interrupt.event, this.onRace);
  }

  /** `earlier` and the newest event race. */
  #race(earlier: number): void {
    const happens = this.#happens;
    const lane = this.#racing;
    const other = this.#lanes[happens.laneOf[earlier]];
    if (other.actor === lane) {
      // The actor stood while its interrupt ran: it can only come before all of it.
      this.#tryBefore(this.#beginningOf(earlier), lane);
      return;
    }
    const disabler = this.#disabling(earlier, lane);
    if (disabler === REVERSIBLE) this.#tryBefore(earlier, lane);
    else if (disabler >= 0) this.#tryBefore(disabler, lane);
  }

  /** REVERSIBLE; or `earlier` made the newest event possible, and this is what had made it impossible, or -1. */
  #disabling(earlier: number, lane: Lane): number {
    const happens = this.#happens;
    const { kind } = lane.event;
    const kindOfEarlier = happens.kind[earlier];
    if (kind === Mark.Begin && lane.actor) {
      if (kindOfEarlier === Mark.IrqOn) return this.#markBefore(earlier, Mark.IrqOff);
      if (kindOfEarlier === Mark.RcuExit) {
        const entered = this.#markBefore(earlier, Mark.RcuEnter);
        if (entered >= 0) this.#tryBefore(entered, lane);
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
    const happens = this.#happens;
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
    const happens = this.#happens;
    for (let k = 0; k < lane.watching; k++) {
      const word = lane.watched[k] >>> 2;
      for (let j = i - 1; j >= 0; j--) {
        if (happens.wrote[j] === 0 || happens.kind[j] >= Mark.Begin) continue;
        if (!happens.coversWord(j, word)) continue;
        // What was there before is known of the first word only.
        const known = happens.address[j] >>> 2 === word;
        if ((known && happens.before[j] === lane.watchedValue[k]) || !happens.clockWithout(j)) continue;
        this.#tryBefore(j, lane);
        if (known) break;
      }
    }
  }

  /** A wait that does not end, or ends because nobody else can go on, might have ended before. */
  waitsInVain(lane: Lane): void {
    this.#racing = lane;
    this.#happens.probe(lane, lane.event, NOTHING);
    this.#tryBeforeChangedBack(this.#happens.length, lane);
  }

  #markBefore(i: number, kind: number): number {
    const happens = this.#happens;
    const lane = happens.laneOf[i];
    for (let k = happens.ownIndex(i) - 1; k >= 1; k--) {
      const at = happens.placeOf(lane, k);
      if (happens.kind[at] === kind && happens.wrote[at] === 1) return at;
    }
    return IMPOSSIBLE;
  }

  #beginningOf(i: number): number {
    const happens = this.#happens;
    const lane = happens.laneOf[i];
    let k = happens.ownIndex(i);
    while (happens.kind[happens.placeOf(lane, k)] !== Mark.Begin) k--;
    return happens.placeOf(lane, k);
  }
}
