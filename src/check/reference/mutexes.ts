/**
 * Reference programs that exclude each other with loads and stores alone, and the waits of the core.
 * "assume" makes an execution in which somebody would have to wait a blocked one: that is how the counts were published.
 */
import {
  type Action,
  actors,
  assume,
  cas,
  load,
  type Program,
  store,
  swap,
  timedWait,
  waitWhile,
  waitWhileAll,
} from "./actor.js";

export function peterson(): Program {
  const [flag, turn, data] = [0, 2, 3];
  return {
    name: "peterson",
    words: 4,
    actors: actors(2, function* (i) {
      yield store(flag + i, 1);
      yield store(turn, 1 - i);
      yield assume((yield load(flag + 1 - i)) !== 1 || (yield load(turn)) !== 1 - i);
      yield store(data, i);
      yield load(data);
      yield store(flag + i, 0);
    }),
  };
}

/** The way in of Dekker's algorithm, tried once. */
export function dekker(): Program {
  const data = 2;
  return {
    name: "dekker_f",
    words: 3,
    actors: actors(2, function* (i) {
      yield store(i, 1);
      if ((yield load(1 - i)) !== 0) return;
      yield store(data, 1 - i);
      yield load(data);
    }),
  };
}

export function szymanski(): Program {
  const data = 2;
  return {
    name: "szymanski",
    words: 3,
    actors: actors(2, function* (i) {
      const other = 1 - i;
      yield store(i, 1);
      yield assume((yield load(other)) < 3);
      yield store(i, 3);
      if ((yield load(other)) === 1) {
        yield store(i, 2);
        yield assume((yield load(other)) === 4);
      }
      yield store(i, 4);
      yield assume((yield load(other)) < 2);
      yield store(data, i);
      yield load(data);
      yield load(data);
      const seen = yield load(other);
      yield assume(seen < 2 || (yield load(other)) > 3);
      yield store(i, 0);
    }),
  };
}

/** Lamport's fast mutex, its second algorithm: x and y, and a flag for each actor. */
export function lamport(n: number): Program {
  const [x, y, flag] = [0, 1, 1];
  function* lock(me: number): Generator<Action, void, number> {
    while (true) {
      yield store(flag + me, 1);
      yield store(x, me);
      if ((yield load(y)) !== 0) {
        yield store(flag + me, 0);
        yield assume((yield load(y)) === 0);
        continue;
      }
      yield store(y, me);
      if ((yield load(x)) === me) return;
      yield store(flag + me, 0);
      for (let each = 1; each <= n; each++) yield assume((yield load(flag + each)) === 0);
      if ((yield load(y)) === me) return;
      yield assume((yield load(y)) === 0);
    }
  }
  return {
    name: `lamport(${n})`,
    words: 2 + n,
    actors: actors(n, function* (i) {
      yield* lock(i + 1);
      yield store(y, 0);
      yield store(flag + i + 1, 0);
    }),
  };
}

/** A lock as the core takes its own: try, wait until the word changes, try again. Nobody is ever blocked. */
export function spinLock(n: number): Program {
  return {
    name: `spinlock(${n})`,
    words: 2,
    actors: actors(n, function* () {
      for (let seen = yield cas(0, 0, 1); seen !== 0; seen = yield cas(0, 0, 1)) yield waitWhile(0, seen);
      const seen = yield load(1);
      yield store(1, seen + 1);
      yield store(0, 0);
    }),
  };
}

/** Two spin locks taken in opposite orders: some executions end with nobody able to go on. */
export function crossedLocks(): Program {
  return {
    name: "crossed locks",
    words: 2,
    actors: actors(2, function* (i) {
      for (const lock of [i, 1 - i]) while ((yield cas(lock, 0, 1)) !== 0) yield waitWhile(lock, 1);
      yield store(1 - i, 0);
      yield store(i, 0);
    }),
  };
}

/** One waits for a word that another changes twice, back to what it was: the wait may miss both. */
export function thereAndBack(): Program {
  return {
    name: "there and back",
    words: 2,
    actors: [
      function* () {
        yield store(0, 1);
        yield store(0, 0);
      },
      function* () {
        yield waitWhile(0, 0);
        yield store(1, 1);
      },
    ],
  };
}

/** One waits for either of two words, each changed twice by another, the second time back to what it was. */
export function eitherOfTwo(): Program {
  return {
    name: "either of two",
    words: 3,
    actors: [
      ...actors(2, function* (i) {
        yield store(i, 1);
        yield store(i, 0);
      }),
      function* () {
        yield waitWhileAll([
          [0, 0],
          [1, 0],
        ]);
        yield load(0);
        yield load(1);
      },
    ],
  };
}

/** One waits until either word is not 1, which each becomes in the end: it may miss both, or see one become 1 and not the other. */
export function eitherBecomes(): Program {
  return {
    name: "either becomes",
    words: 2,
    actors: [
      function* () {
        yield waitWhileAll([
          [0, 1],
          [1, 1],
        ]);
        yield load(0);
      },
      ...actors(2, function* (i) {
        yield load(0);
        yield store(i, 1);
      }),
    ],
  };
}

/** A wait for either of two words that must come before one change, and after one of another lane's in between. */
export function throughTheGap(): Program {
  return {
    name: "through the gap",
    words: 2,
    actors: [
      function* () {
        yield load(0);
        yield store(1, 1);
        yield store(0, 0);
      },
      function* () {
        yield swap(0, 0);
        yield load(0);
      },
      function* () {
        yield store(0, 0);
        yield waitWhileAll([
          [0, 0],
          [1, 1],
        ]);
      },
    ],
  };
}

/** n that wait, with a time limit, for what the last of them may do: nobody else can go on, so the limits run out. */
export function timeLimits(n: number): Program {
  return {
    name: `time limits(${n})`,
    words: 1 + n,
    actors: actors(n, function* (i) {
      yield store(1 + i, 1);
      yield timedWait(0, 0);
      yield store(0, i + 1);
    }),
  };
}

/** Two whose time limits run out, in either order: the first is done before the second's limit may run out. */
export function lateReader(): Program {
  return {
    name: "late reader",
    words: 2,
    actors: actors(2, function* (i) {
      yield timedWait(0, 0);
      yield i === 0 ? load(1) : store(1, 1);
    }),
  };
}
