import fc from "fast-check";
import { expect } from "vitest";
import { Bounded } from "../../src/check/bounded.js";
import { Exhaustive } from "../../src/check/exhaustive.js";
import { Optimal } from "../../src/check/optimal.js";
import { Pct } from "../../src/check/pct.js";
import { Pos } from "../../src/check/pos.js";
import { RandomWalk } from "../../src/check/random.js";
import {
  type Action,
  assume,
  cas,
  fetchAdd,
  load,
  loadPair,
  type Program,
  store,
  storePair,
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
  /** It leaves out what is known: few enough executions for the large programs. */
  readonly large: boolean;
  /** It claims all where lanes wait, and accesses overlap in part, too. */
  readonly waits: boolean;
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
    waits: true,
  },
  {
    name: "exhaustive",
    make: (world) => new Exhaustive(world.system),
    once: true,
    neverAbandons: false,
    actors: 8,
    large: true,
    waits: true,
  },
  {
    name: "optimal",
    make: (world) => new Optimal(world.system),
    once: true,
    neverAbandons: false,
    actors: 8,
    large: true,
    waits: false,
  },
];

/** A strategy that claims to find every trace that needs at most so many preemptions. */
export interface BoundedCandidate {
  readonly name: string;
  make(world: World, preemptions: number): Strategy;
  /** It claims all within the bound where lanes wait, too. */
  readonly waits: boolean;
  /** It finds no trace that needs more. */
  readonly exact: boolean;
}

/** One line for each. */
export const BOUNDED: readonly BoundedCandidate[] = [
  {
    name: "every schedule",
    make: (world, preemptions) => new EverySchedule(world, { preemptions }),
    waits: true,
    exact: true,
  },
  { name: "bounded", make: (world, preemptions) => new Bounded(world.system, preemptions), waits: false, exact: false },
];

export function expectBoundKept(candidate: BoundedCandidate, program: Program, preemptions: number): void {
  const found = countWith((world) => candidate.make(world, preemptions), program);
  expect(missing(found, everyTrace(program, preemptions)), "not found").toEqual([]);
  const allowed = everyTrace(program, candidate.exact ? preemptions : undefined);
  expect(missing(allowed, found), "not within the bound").toEqual([]);
}

/** A strategy that goes on for ever. */
export interface Sampler {
  readonly name: string;
  make(world: World, seed: number): Strategy;
  /** Every execution has its chance; false for one that reaches only so deep. */
  readonly reachesAll: boolean;
}

/** One line for each. */
export const SAMPLERS: readonly Sampler[] = [
  {
    name: "random walk",
    make: (_world, seed) => new RandomWalk(seed),
    reachesAll: true,
  },
  { name: "POS", make: (world, seed) => new Pos(seed, world.system), reachesAll: true },
  { name: "PCT, depth 3", make: (_world, seed) => new Pct(seed, 3), reachesAll: false },
];

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

const ACCESSES = ["load", "store", "copy", "add", "swap", "cas", "skip"] as const;
/** What random programs are made of: strategies go wrong at waits sooner than at accesses. */
export const VOCABULARIES = {
  accesses: ACCESSES,
  assumptions: [...ACCESSES, "assume", "assume"],
  waits: [...ACCESSES, "wait", "await", "waitEither"],
  pairs: [...ACCESSES, "loadPair", "loadPair", "storePair"],
  "time limits": [...ACCESSES, "timed", "timedAwait"],
  everything: [...ACCESSES, "loadPair", "storePair", "assume", "wait", "await", "waitEither", "timed", "timedAwait"],
} as const;
export type Vocabulary = keyof typeof VOCABULARIES;
/** Those in which nobody waits, and every access is of one width. */
export const WITHOUT_WAITS: readonly Vocabulary[] = ["accesses", "assumptions"];
type Kind = (typeof VOCABULARIES)[Vocabulary][number];
const WORDS = 2;

interface Step {
  kind: Kind;
  word: number;
  a: number;
  b: number;
}

/** Programs of a few actors over two words; its name is what a failure prints. */
export function randomPrograms(actors: number, longest: number, vocabulary: Vocabulary): fc.Arbitrary<Program> {
  const step = fc.record({
    kind: fc.constantFrom<Kind[]>(...VOCABULARIES[vocabulary]),
    word: fc.nat(WORDS - 1),
    a: fc.nat(2),
    b: fc.nat(2),
  });
  const actor = fc.array(step, { minLength: 1, maxLength: longest });
  return fc.array(actor, { minLength: 2, maxLength: actors }).map(programOf);
}

function programOf(actors: readonly (readonly Step[])[]): Program {
  return {
    name: actors.map((steps) => steps.map(textOf).join("; ")).join(" | "),
    words: WORDS,
    actors: actors.map((steps) => () => perform(steps)),
  };
}

/** What each kind does with its word and its numbers; `last` is what the actor's last action returned. */
const ACTIONS: Readonly<Record<Kind, (step: Step, last: number) => Action | undefined>> = {
  load: ({ word }) => load(word),
  store: ({ word, a }) => store(word, a),
  copy: ({ word, a }, last) => store(word, last + a),
  add: ({ word, a }) => fetchAdd(word, a),
  swap: ({ word, a }) => swap(word, a),
  cas: ({ word, a, b }) => cas(word, a, b),
  assume: ({ a }, last) => assume(last !== a),
  loadPair: () => loadPair(0),
  storePair: ({ a }) => storePair(0, a),
  skip: () => undefined,
  wait: ({ word, a }) => waitWhile(word, a),
  waitEither: ({ word, a, b }) =>
    waitWhileAll([
      [word, a],
      [1 - word, b],
    ]),
  timed: ({ word, a }) => timedWait(word, a),
  /** Until the word is `a`, as the core waits. */
  await: ({ word }, last) => waitWhile(word, last),
  timedAwait: ({ word }, last) => timedWait(word, last),
};

const TEXTS: Readonly<Record<Kind, (word: string, a: number, b: number, other: string) => string>> = {
  load: (word) => `load ${word}`,
  store: (word, a) => `${word} = ${a}`,
  copy: (word, a) => `${word} = last + ${a}`,
  add: (word, a) => `${word} += ${a}`,
  swap: (word, a) => `swap ${word} ${a}`,
  cas: (word, a, b) => `cas ${word} ${a} ${b}`,
  assume: (_word, a) => `assume last != ${a}`,
  loadPair: () => "load xy",
  storePair: (_word, a) => `xy = ${a}`,
  skip: (_word, a) => `if last != ${a}`,
  wait: (word, a) => `wait ${word} != ${a}`,
  waitEither: (word, a, b, other) => `wait ${word} != ${a} or ${other} != ${b}`,
  timed: (word, a) => `wait ${word} != ${a} or time`,
  await: (word) => `load ${word}, wait until changed`,
  timedAwait: (word) => `load ${word}, wait until changed or time`,
};

function textOf({ kind, word, a, b }: Step): string {
  return TEXTS[kind]("xy"[word], a, b, "yx"[word]);
}

function* perform(steps: readonly Step[]): Generator<Action, void, number> {
  let last = 0;
  for (let at = 0; at < steps.length; at++) {
    const step = steps[at];
    if (step.kind === "skip" && last === step.a) at++;
    if (step.kind === "await" || step.kind === "timedAwait") last = yield load(step.word);
    const action = ACTIONS[step.kind](step, last);
    if (!action) continue;
    const returned = yield action;
    if (step.kind !== "assume") last = returned;
  }
}
