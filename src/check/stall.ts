/**
 * One actor stands still once, in every place: the cheapest systematic look at a scenario.
 *
 *   actor 0   ──── k events ────┤ stands                                    ├── goes on whenever nobody else can ──▶
 *   others                      ├── interrupts first, then actors, to their ends ──┤
 *
 * For every actor and every k: as many executions as the actors have events. It finds what needs one badly placed pause,
 * the shape of most lifetime bugs, and says nothing about what needs two.
 */
import type { Checker } from "./checker.js";
import type { Lane } from "./lane.js";
import type { Failure } from "./scenario.js";
import type { Strategy } from "./strategy.js";

export class Stall implements Strategy {
  readonly claim: string;
  #left = 0;

  constructor(
    readonly actor: number,
    readonly after: number,
  ) {
    this.claim = `actor ${actor} stands still after ${after} events`;
  }

  /** The actor came to its end, or was never able to go on, before it was to stand still. */
  get isPast(): boolean {
    return this.#left > 0;
  }

  begin(): void {
    this.#left = this.after;
  }

  choose(enabled: readonly Lane[]): Lane {
    const own = enabled.find((lane) => lane.id === this.actor);
    if (own && this.#left > 0) {
      this.#left--;
      return own;
    }
    const others = enabled.filter((lane) => lane !== own);
    return others.find((lane) => lane.actor) ?? others[0] ?? (own as Lane);
  }
}

/** Stalls every actor, or those named, at every event; the first failure. */
export function runStalls(checker: Checker, actors?: readonly number[]): Failure | undefined {
  for (const id of actors ?? checker.scenario.actors.keys()) {
    for (let after = 0; ; after++) {
      const stall = new Stall(id, after);
      const failure = checker.run(stall, after);
      if (failure) return failure;
      if (stall.isPast) break;
    }
  }
  return undefined;
}
