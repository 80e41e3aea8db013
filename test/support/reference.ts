import fc from "fast-check";
import { expect } from "vitest";
import {
  type Action,
  assume,
  cas,
  fetchAdd,
  load,
  type Program,
  store,
  swap,
  timedWait,
  waitWhile,
  waitWhileAll,
} from "../../src/check/reference/actor.js";
import { EverySchedule, everyTrace } from "../../src/check/reference/brute.js";
import { type CountOptions, type Counts, countWith, missing } from "../../src/check/reference/count.js";
import type { World } from "../../src/check/reference/world.js";
import type { Strategy } from "../../src/check/strategy.js";

/** A strategy that claims to find every trace. */
export interface Candidate {
  readonly name: string;
  make(world: World): Strategy;
  /** It never runs a trace twice. */
  readonly once: boolean;
  /** It never starts on what it must give up. */
  readonly neverAbandons: boolean;
  /** More actors than this it can not take. */
  readonly actors: number;
  /** Few enough executions for the large programs. */
  readonly large: boolean;
}

/** One line for each strategy that claims to find every trace. */
export const CANDIDATES: readonly Candidate[] = [
  {
    name: "every schedule",
    make: (world) => new EverySchedule(world),
    once: false,
    neverAbandons: true,
    actors: 3,
    large: false,
  },
];

/** A strategy that claims to find every trace that needs at most so many preemptions. */
export interface BoundedCandidate {
  readonly name: string;
  make(world: World, preemptions: number): Strategy;
  /** It finds no trace that needs more. */
  readonly exact: boolean;
}

/** One line for each. */
export const BOUNDED: readonly BoundedCandidate[] = [
  { name: "every schedule", make: (world, preemptions) => new EverySchedule(world, { preemptions }), exact: true },
];

export function expectBoundKept(candidate: BoundedCandidate, program: Program, preemptions: number): void {
  const found = countWith((world) => candidate.make(world, preemptions), program);
  expect(missing(found, everyTrace(program, preemptions)), "not found").toEqual([]);
  const allowed = everyTrace(program, candidate.exact ? preemptions : undefined);
  expect(missing(allowed, found), "not within the bound").toEqual([]);
}

/** It finds what brute force finds, no more and no less. */
export function expectSameTraces(candidate: Candidate, program: Program, options?: CountOptions): Counts {
  const found = countWith(candidate.make, program, options);
  const truth = everyTrace(program, undefined, options);
  expect(missing(found, truth), "not found").toEqual([]);
  expect(missing(truth, found), "not an execution").toEqual([]);
  expectKept(candidate, found);
  return found;
}

export function expectKept({ once, neverAbandons }: Candidate, { repeated, abandoned }: Counts): void {
  if (once) expect(repeated, "repeated").toBe(0);
  if (neverAbandons) expect(abandoned, "abandoned").toBe(0);
}

const KINDS = ["load", "store", "copy", "add", "swap", "cas", "wait", "waitEither", "timed", "assume", "skip"] as const;
type Kind = (typeof KINDS)[number];
const WORDS = 2;

interface Step {
  kind: Kind;
  word: number;
  a: number;
  b: number;
}

/** Programs of a few actors over two words; its text is what a failure prints. */
export function randomPrograms(actors: number, longest: number): fc.Arbitrary<Program> {
  const step = fc.record({
    kind: fc.constantFrom(...KINDS),
    word: fc.nat(WORDS - 1),
    a: fc.nat(2),
    b: fc.nat(2),
  });
  const actor = fc.array(step, { minLength: 1, maxLength: longest });
  return fc.array(actor, { minLength: 2, maxLength: actors }).map(programOf);
}

function programOf(actors: readonly (readonly Step[])[]): Program {
  return {
    name: actors
      .map((steps) => steps.map(({ kind, word, a, b }) => `${kind} ${word} ${a} ${b}`).join("; "))
      .join(" | "),
    words: WORDS,
    actors: actors.map((steps) => () => perform(steps)),
  };
}

function* perform(steps: readonly Step[]): Generator<Action, void, number> {
  let last = 0;
  for (let at = 0; at < steps.length; at++) {
    const { kind, word, a, b } = steps[at];
    if (kind === "skip") {
      if (last === a) at++;
    } else if (kind === "assume") yield assume(last !== a);
    else last = yield actionOf(kind, word, a, b, last);
  }
}

function actionOf(kind: Exclude<Kind, "skip" | "assume">, word: number, a: number, b: number, last: number): Action {
  switch (kind) {
    case "load":
      return load(word);
    case "store":
      return store(word, a);
    case "copy":
      return store(word, last + a);
    case "add":
      return fetchAdd(word, a);
    case "swap":
      return swap(word, a);
    case "cas":
      return cas(word, a, b);
    case "wait":
      return waitWhile(word, a);
    case "waitEither":
      return waitWhileAll([
        [word, a],
        [1 - word, b],
      ]);
    case "timed":
      return timedWait(word, a);
  }
}
