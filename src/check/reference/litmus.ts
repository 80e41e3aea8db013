/** Reference programs of loads and stores: who reads what, and in which order words change. */
import { actors, load, type Program, store } from "./actor.js";

const X = 0;
const Y = 1;
const Z = 2;

/** Store buffering: each stores its own, then reads the other's. */
export function storeBuffering(): Program {
  return {
    name: "SB",
    words: 2,
    actors: actors(2, function* (i) {
      yield store(i, 1);
      yield load(1 - i);
    }),
  };
}

export function messagePassing(): Program {
  return {
    name: "MP",
    words: 2,
    actors: [
      function* () {
        yield store(X, 1);
        yield store(Y, 1);
      },
      function* () {
        yield load(Y);
        yield load(X);
      },
    ],
  };
}

/** Independent reads of independent writes. */
export function iriw(): Program {
  return {
    name: "IRIW",
    words: 2,
    actors: [
      function* () {
        yield store(X, 1);
      },
      function* () {
        yield store(Y, 1);
      },
      ...actors(2, function* (i) {
        yield load(i);
        yield load(1 - i);
      }),
    ],
  };
}

/** Two that store one word and look at others before they read it again; n - 1 that store those others. */
export function coherenceAbove(n: number): Program {
  return {
    name: `CoA(${n})`,
    words: 3,
    actors: [
      ...actors(2, function* (i) {
        yield store(X, i + 1);
        yield load(i === 0 ? Y : Z);
        yield load(X);
      }),
      ...actors(n - 1, function* (i) {
        yield store(Y, i);
        yield store(Z, i);
      }),
    ],
  };
}

/** One writer, n readers: each reads before or after it. */
export function readers(n: number): Program {
  return {
    name: `readers(${n})`,
    words: 1,
    actors: [
      function* () {
        yield store(X, 42);
      },
      ...actors(n, function* () {
        yield load(X);
      }),
    ],
  };
}

/** One reader, n + 1 writers. */
export function writers(n: number): Program {
  return {
    name: `N-writers(${n})`,
    words: 1,
    actors: [
      ...actors(n + 1, function* (i) {
        yield store(X, i);
      }),
      function* () {
        yield load(X);
      },
    ],
  };
}

/** Writer j makes word j one more than word j - 1; a reader looks for the last word that is 0, from the end. */
export function lastZero(n: number): Program {
  return {
    name: `lastzero(${n})`,
    words: n + 1,
    actors: [
      function* () {
        let at = n;
        while ((yield load(at)) !== 0) at--;
      },
      ...actors(n, function* (i) {
        const below = yield load(i);
        yield store(i + 1, below + 1);
      }),
    ],
  };
}

/** Two that add one word to the other, `rounds` times each, and one that looks at both. */
export function fibonacci(rounds: number): Program {
  return {
    name: `fib_bench(${rounds})`,
    words: 2,
    initial: [1, 1],
    actors: [
      ...actors(2, function* (i) {
        for (let round = 0; round < rounds; round++) {
          const x = yield load(X);
          const y = yield load(Y);
          yield store(i, x + y);
        }
      }),
      function* () {
        if ((yield load(X)) <= 144) yield load(Y);
      },
    ],
  };
}
