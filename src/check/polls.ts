/**
 * The random walk of an engine that delivers no interrupt into kernel code: a CPU answers only where the core itself looks,
 * as in `run`.
 *
 *   interrupt lane   goes on only between its actor's operations, and once it is done: there guest code would poll
 *   nobody else      can go on: a wait of a CPU with something pending ends, as pause() promises. If that leads nowhere, and no
 *                    sleeper has a time limit, who is waited for does not look. A deadlock.
 *
 * Why       the other strategies take an interrupt before any event: a wait that forgot to answer IPIs looks well under them.
 */
import { Mark } from "./event.js";
import { type Lane, LaneState } from "./lane.js";
import { RandomWalk } from "./random.js";
import type { Strategy } from "./strategy.js";
import { Violation } from "./violation.js";

/** Waits that end only because something is pending, in one execution: more, and it is never taken. */
const ROUNDS = 1000;

export class Polls implements Strategy {
  readonly claim = "a random walk, interrupts at polls only";
  readonly #walk: RandomWalk;
  #lanes: readonly Lane[] = [];
  #rounds = 0;

  constructor(seed: number) {
    this.#walk = new RandomWalk(seed);
  }

  begin(lanes: readonly Lane[]): void {
    this.#lanes = lanes;
    this.#rounds = 0;
    this.#walk.begin();
  }

  carriesOn(): boolean {
    return this.#walk.carriesOn();
  }

  choose(enabled: readonly Lane[]): Lane {
    const polling = enabled.filter(({ state, actor }) => !actor || state !== LaneState.Between || polls(actor));
    if (polling.length > 0) return this.#walk.choose(polling);
    const waiting = enabled.flatMap(({ actor }) => (actor && looksAgain(actor) ? [actor] : []));
    if (waiting.length > 0 && this.#rounds++ < ROUNDS) return waiting[0];
    if (waiting.length === 0 && this.#lanes.some(sleepsForATime)) return this.#walk.choose(enabled);
    const stuck = enabled.map(({ cpuIndex }) => `CPU ${cpuIndex}`).join(", ");
    throw new Violation("deadlock", `${stuck} does not look at what it is asked for`);
  }
}

/** A pause ends when the CPU's own pending word may have changed. */
function looksAgain({ state, event, irqOffPause }: Lane): boolean {
  return state === LaneState.Stopped && event.kind === Mark.Pause && !irqOffPause;
}

function sleepsForATime({ state, timeoutNs }: Lane): boolean {
  return state === LaneState.Asleep && timeoutNs >= 0n;
}

function polls({ state }: Lane): boolean {
  return state === LaneState.Between || state === LaneState.Done;
}
