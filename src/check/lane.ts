/**
 * A lane: anything that can be scheduled. Each actor has two, its own and its CPU's interrupts.
 *
 *   actor      runs its operations, one after another, each a few calls of the core
 *   interrupt  runs the handler when something is pending and its actor allows it; while it runs, its actor stands
 *
 * A lane always knows the event it performs next: that is what a strategy decides on.
 */
import { type Event, Mark } from "./event.js";
import type { Call, Operation, Outcome } from "./operations.js";

/** Words that one round of a wait is taken to look at, the latest ones. */
export const WATCHED = 8;

export enum LaneState {
  /** Between operations, or an interrupt not begun: the next event is Begin. */
  Between = 0,
  /** Inside a call, stopped at its next event. */
  Stopped = 1,
  /** Asleep in a wait; `notified` ends it. */
  Asleep = 2,
  Done = 3,
}

export class Lane {
  readonly event: Event = { kind: Mark.Begin, address: 0, width: 0, site: 0 };
  state = LaneState.Between;
  readerDepth = 0;
  irqDepth = 0;
  /** Place of the operation under way, or to begin. */
  at = 0;
  /** A pause, or a wait with a time limit, may end now although nothing changed: nobody else could run. */
  nudged = false;
  nudges = 0;
  notified = false;
  timeoutNs = -1n;
  irqOffPause = false;
  /** The wait it stands in looked at these words since its last round, and saw these values. */
  readonly watched = new Uint32Array(WATCHED);
  readonly watchedValue = new Uint32Array(WATCHED);
  watching = 0;
  /** The watched words that had changed when the pause ended, a bit each. */
  changed = 0;
  /** The event in hand has begun to take effect: what it did is known once the lane stops again. */
  unsettled = false;
  before = 0;
  beforeHigh = 0;
  /** Nudged, when its event took effect. */
  alone = false;
  /** A mark that changed whether interrupts are off, or whether a reader section is open. */
  transition = false;
  /** Events so far: its clock. */
  steps = 0;
  calls: Generator<Call, Outcome, unknown> | undefined;
  call: Call | undefined;

  constructor(
    readonly id: number,
    readonly name: string,
    /** Index of the CPU and address of its area. */
    readonly cpuIndex: number,
    readonly cpu: number,
    readonly operations: readonly Operation[],
    /** For an interrupt lane, the actor it interrupts. */
    readonly actor: Lane | undefined,
    /** Where the CPU's pending and idle words are. */
    readonly pendingAddress = 0,
    readonly idleAddress = 0,
  ) {}

  reset(): void {
    this.state = this.operations.length === 0 && !this.actor ? LaneState.Done : LaneState.Between;
    this.readerDepth = 0;
    this.irqDepth = 0;
    this.at = 0;
    this.nudged = false;
    this.nudges = 0;
    this.notified = false;
    this.watching = 0;
    this.unsettled = false;
    this.alone = false;
    this.transition = false;
    this.steps = 0;
    this.calls = undefined;
    this.call = undefined;
    this.announce(Mark.Begin, 0, 0, 0);
  }

  /** Notes a word it looked at: a change of it ends the next pause. */
  watch(address: number, value: number): void {
    for (let i = 0; i < this.watching; i++) {
      if (this.watched[i] === address) {
        this.watchedValue[i] = value;
        return;
      }
    }
    if (this.watching === WATCHED) {
      this.watched.copyWithin(0, 1);
      this.watchedValue.copyWithin(0, 1);
      this.watching--;
    }
    this.watched[this.watching] = address;
    this.watchedValue[this.watching++] = value;
  }

  /** It changed the place itself: what it saw there before is no reason to look again. */
  forget(address: number, width: number): void {
    for (let i = this.watching - 1; i >= 0; i--) {
      if (this.watched[i] + 4 <= address || this.watched[i] >= address + width) continue;
      this.watched.copyWithin(i, i + 1, this.watching);
      this.watchedValue.copyWithin(i, i + 1, this.watching);
      this.watching--;
    }
  }

  /** A pause ends: which of the words it looked at had changed. */
  endPause(words: Uint32Array): void {
    this.changed = 0;
    for (let i = 0; i < this.watching; i++) {
      if (words[this.watched[i] >>> 2] !== this.watchedValue[i]) this.changed |= 1 << i;
    }
  }

  announce(kind: number, address: number, width: number, site: number): void {
    const event = this.event;
    event.kind = kind;
    event.address = address;
    event.width = width;
    event.site = site;
  }
}
