/**
 * The programs that prove the strategies: actors over a few shared words.
 *
 *   function* () {                an actor is a generator: it stops before each access, and is
 *     const seen = yield load(X); carried on with what the access returned
 *     yield store(Y, seen + 1);
 *   }
 *
 * Waiting comes in two kinds, because published counts do:
 *   waitWhile(word, seen)   the actor stands until the word is no longer `seen`, as in the core's pause
 *   assume(held)            no event: an actor whose assumption failed stands for ever, and the execution is "blocked"
 */
export enum Act {
  Load = 0,
  Store = 1,
  /** `compute` gives the new word from the old. */
  Rmw = 2,
  /** Stores `value` if the word is `expected`; else it is a read. */
  Cas = 3,
  /** Waits until the word is no longer `expected`. */
  Wait = 4,
  /** The same, but ends when nobody else can go on: its time limit runs out. */
  TimedWait = 5,
  /** Two words at once, this one and the next, as the core's 64-bit accesses. */
  LoadPair = 6,
  /** Stores `value` in both. */
  StorePair = 7,
  /** `value` 0: the actor never goes on. */
  Assume = 8,
}

export interface Action {
  readonly act: Act;
  /** Index of the word. */
  readonly word: number;
  readonly value: number;
  readonly expected: number;
  readonly compute?: (old: number) => number;
  /** A wait ends as well when one of these words is no longer what was seen there. */
  readonly also?: readonly (readonly [word: number, seen: number])[];
}

/** What an action returns is the word as it was before it; of a pair, the sum. */
export type Actor = () => Generator<Action, void, number>;

export interface Program {
  readonly name: string;
  /** How many shared words; all 0 at first, or `initial`. */
  readonly words: number;
  readonly initial?: readonly number[];
  readonly actors: readonly Actor[];
}

export function load(word: number): Action {
  return { act: Act.Load, word, value: 0, expected: 0 };
}

export function store(word: number, value: number): Action {
  return { act: Act.Store, word, value, expected: 0 };
}

/** `word` must be even. */
export function loadPair(word: number): Action {
  return { act: Act.LoadPair, word, value: 0, expected: 0 };
}

export function storePair(word: number, value: number): Action {
  return { act: Act.StorePair, word, value, expected: 0 };
}

export function fetchAdd(word: number, by: number): Action {
  return { act: Act.Rmw, word, value: 0, expected: 0, compute: (old) => old + by };
}

export function swap(word: number, value: number): Action {
  return { act: Act.Rmw, word, value: 0, expected: 0, compute: () => value };
}

/** It succeeded if what it returns is `expected`. */
export function cas(word: number, expected: number, value: number): Action {
  return { act: Act.Cas, word, value, expected };
}

export function waitWhile(word: number, seen: number): Action {
  return { act: Act.Wait, word, value: 0, expected: seen };
}

/** Waits until any of the words is no longer what was seen there. Returns what the first was when the wait ended. */
export function waitWhileAll([first, ...also]: readonly (readonly [word: number, seen: number])[]): Action {
  return { act: Act.Wait, word: first[0], value: 0, expected: first[1], also };
}

export function timedWait(word: number, seen: number): Action {
  return { act: Act.TimedWait, word, value: 0, expected: seen };
}

export function assume(held: boolean): Action {
  return { act: Act.Assume, word: 0, value: held ? 1 : 0, expected: 0 };
}

/** `count` actors that differ in their number, from 0. */
export function actors(count: number, body: (i: number) => Generator<Action, void, number>): Actor[] {
  return Array.from({ length: count }, (_, i) => () => body(i));
}
