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
  notified = false;
  timeoutNs = -1n;
  irqOffPause = false;
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
  ) {}

  reset(): void {
    this.state = this.operations.length === 0 && !this.actor ? LaneState.Done : LaneState.Between;
    this.readerDepth = 0;
    this.irqDepth = 0;
    this.at = 0;
    this.nudged = false;
    this.notified = false;
    this.calls = undefined;
    this.call = undefined;
    this.announce(Mark.Begin, 0, 0, 0);
  }

  announce(kind: number, address: number, width: number, site: number): void {
    const event = this.event;
    event.kind = kind;
    event.address = address;
    event.width = width;
    event.site = site;
  }
}
