/**
 * bench/model.ts: one little protocol for two checkers: here as a reference program of ours, in models/spinlock.pml for spin.
 *
 *   LOCKERS × ROUNDS   take the lock by compare-and-swap, waiting for it; load, store the count; release
 *   one reader         loads the count READS times; it never falls
 *
 * Ours     runs executions from the start, one for each order of dependent accesses (exhaustive.ts): no state is kept
 * Spin     keeps every state it saw, and stops where it was before; partial-order reduction as it comes
 */

import { Exhaustive } from "../check/exhaustive.js";
import { type Action, actors, cas, load, type Program, store, waitWhile } from "../check/reference/actor.js";
import { World } from "../check/reference/world.js";

export interface Size {
  readonly lockers: number;
  readonly rounds: number;
  readonly reads: number;
}

/** Both finish it. */
export const SMALL: Size = { lockers: 2, rounds: 2, reads: 4 };
/** Long enough for spin's rate to be measured; more executions than ours could run. */
export const LARGE: Size = { lockers: 4, rounds: 5, reads: 5 };

const [LOCK, COUNT] = [0, 1];

export function spinlock({ lockers, rounds, reads }: Size): Program {
  function* locker(): Generator<Action, void, number> {
    for (let round = 0; round < rounds; round++) {
      while ((yield cas(LOCK, 0, 1)) !== 0) yield waitWhile(LOCK, 1);
      const seen = yield load(COUNT);
      yield store(COUNT, seen + 1);
      yield store(LOCK, 0);
    }
  }
  function* reader(): Generator<Action, void, number> {
    let before = 0;
    for (let read = 0; read < reads; read++) {
      const seen = yield load(COUNT);
      if (seen < before) throw new Error("the count fell");
      before = seen;
    }
  }
  return { name: "spinlock", words: 2, actors: [...actors(lockers, locker), reader] };
}

export interface Explored {
  readonly executions: number;
  readonly steps: number;
  readonly ms: number;
}

/** All of it; undefined when `stopped` said so on the way. */
export function exploreModel(size: Size, stopped: () => boolean): Explored | undefined {
  const world = new World(spinlock(size));
  const strategy = new Exhaustive(world.system);
  let [executions, steps] = [0, 0];
  const from = performance.now();
  do {
    world.run(strategy);
    steps += world.events;
    executions++;
    if (executions % 1024 === 0 && stopped()) return undefined;
  } while (strategy.more());
  return { executions, steps, ms: performance.now() - from };
}
