/**
 * One actor stands still once, in every place: the cheapest systematic look at a scenario.
 *
 *   actor 0   ──── k events ────┤ stands                       ├── goes on ──▶
 *   others                      ├── interrupts first, then actors, until none of them can ──┤
 *
 * For every actor and every k, twice: it goes on to its end before anybody else, or only where nobody else can. Four
 * executions for each event at most. It finds what needs one badly placed pause, the shape of most lifetime bugs, and says
 * nothing about what needs two.
 */
import type { Checker } from "./checker.js";
import type { Lane } from "./lane.js";
import type { Failure } from "./scenario.js";
import type { Strategy } from "./strategy.js";

export class Stall implements Strategy {
  readonly claim: string;
  #left = 0;
  #over = false;

  /** `eager`: when it goes on, it goes before the others. */
  constructor(
    readonly actor: number,
    readonly after: number,
    readonly eager: boolean,
  ) {
    this.claim = `actor ${actor} stands still after ${after} events`;
  }

  /** The execution was over before the actor was to stand still. */
  get isPast(): boolean {
    return this.#left > 0;
  }

  begin(): void {
    this.#left = this.after;
    this.#over = false;
  }

  choose(enabled: readonly Lane[]): Lane {
    const own = enabled.find((lane) => lane.id === this.actor);
    if (own && (this.#left > 0 || (this.#over && this.eager))) {
      this.#left--;
      return own;
    }
    const others = enabled.filter((lane) => lane !== own);
    const next = others.find((lane) => lane.actor) ?? others[0];
    if (next) return next;
    this.#over = true;
    return own as Lane;
  }
}

/** Stalls every actor, or those named, at every event; the first failure. */
export function runStalls(checker: Checker, actors?: readonly number[]): Failure | undefined {
  for (const id of actors ?? checker.scenario.actors.keys()) {
    for (const eager of [true, false]) {
      let past = false;
      for (let after = 0; !past; after++) {
        const stall = new Stall(id, after, eager);
        const failure = checker.run(stall, after);
        if (failure) return failure;
        past = stall.isPast;
      }
    }
  }
  return undefined;
}
