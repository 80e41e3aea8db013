/** Reference programs of read-modify-writes and compare-and-swaps, and tables that are filled with them. */
import { type Action, actors, assume, cas, fetchAdd, load, type Program, store } from "./actor.js";

/** n that each add 1 to each of `counters` words: n! orders of each word. ainc, binc, cinc. */
export function increments(n: number, counters: 1 | 2 | 3): Program {
  return {
    name: `${"abc"[counters - 1]}inc(${n})`,
    words: counters,
    actors: actors(n, function* () {
      for (let word = 0; word < counters; word++) yield fetchAdd(word, 1);
    }),
  };
}

/** n that each load the word and store more: some are lost. */
export function lostIncrements(n: number): Program {
  return {
    name: `inc(${n})`,
    words: 1,
    actors: actors(n, function* (i) {
      const seen = yield load(0);
      yield store(0, seen + (1 << i));
    }),
  };
}

/** The i-th swaps i for i + 1: it fails, and is a read, unless it comes at its turn. */
export function rotatingSwaps(n: number): Program {
  return {
    name: `casrot(${n})`,
    words: 1,
    actors: actors(n, function* (i) {
      yield cas(0, i, i + 1);
    }),
  };
}

/** n that each swap 0 for 1, then store what nobody else does. */
export function swapsAndStores(n: number): Program {
  return {
    name: `casw(${n})`,
    words: 1,
    actors: actors(n, function* (i) {
      yield cas(0, 0, 1);
      yield store(0, i + 3);
    }),
  };
}

/** One stores 2; n swap 2 for 3. */
export function storeAndSwaps(n: number): Program {
  return {
    name: `wcas(${n})`,
    words: 1,
    actors: [
      function* () {
        yield store(0, 2);
      },
      ...actors(n, function* () {
        yield cas(0, 2, 3);
      }),
    ],
  };
}

/** A mutex taken, or never: only executions in which nobody finds it taken are complete, so they count as with a true lock. */
function* lockOrBlock(mutex: number): Generator<Action, void, number> {
  yield assume((yield cas(mutex, 0, 1)) === 0);
}

/** n that each add 1 to a word under a mutex. */
export function lockedIncrements(n: number): Program {
  return {
    name: `lockinc(${n})`,
    words: 2,
    actors: actors(n, function* () {
      yield* lockOrBlock(0);
      const seen = yield load(1);
      yield store(1, seen + 1);
      yield store(0, 0);
    }),
  };
}

const TABLE = 128;
const KEYS = 4;

/** A hash table without locks; the numbers of the actors decide where their keys meet: 0 and 11 in three places. */
export function indexer(numbers: readonly number[]): Program {
  return {
    name: `indexer(${numbers})`,
    words: TABLE,
    actors: actors(numbers.length, function* (i) {
      for (let key = 0; key < KEYS; key++) {
        const value = key * 11 + numbers[i];
        let slot = (value * 7) % TABLE;
        while ((yield cas(slot, 0, value)) !== 0) slot = (slot + 1) % TABLE;
      }
    }),
  };
}

const BLOCKS = 26;
const INODES = 32;

/** A block for an inode, both under mutexes: actors 13 apart meet at one block. */
export function filesystem(numbers: readonly number[]): Program {
  const blockMutex = INODES;
  const inode = blockMutex + BLOCKS;
  const busy = inode + INODES;
  return {
    name: `filesystem(${numbers})`,
    words: busy + BLOCKS,
    actors: actors(numbers.length, function* (i) {
      const own = numbers[i] % INODES;
      yield* lockOrBlock(own);
      if ((yield load(inode + own)) === 0) {
        let block = (own * 2) % BLOCKS;
        yield* lockOrBlock(blockMutex + block);
        while ((yield load(busy + block)) !== 0) {
          yield store(blockMutex + block, 0);
          block = (block + 1) % BLOCKS;
          yield* lockOrBlock(blockMutex + block);
        }
        yield store(busy + block, 1);
        yield store(inode + own, block + 1);
        yield store(blockMutex + block, 0);
      }
      yield store(own, 0);
    }),
  };
}
