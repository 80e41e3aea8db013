/** Strategies against programs whose traces can be counted: published counts, brute force, random programs. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { actors, load, type Program, store } from "../src/check/reference/actor.js";
import { EverySchedule, everyTrace } from "../src/check/reference/brute.js";
import { countWith, ends, missing } from "../src/check/reference/count.js";
import { storeBuffering } from "../src/check/reference/litmus.js";
import { OWN, PUBLISHED, type Reference } from "../src/check/reference/programs.js";
import type { World } from "../src/check/reference/world.js";
import {
  BOUNDED,
  CANDIDATES,
  type Candidate,
  expectBoundKept,
  expectKept,
  expectSameTraces,
  randomPrograms,
  SAMPLERS,
  VOCABULARIES,
  type Vocabulary,
  WITHOUT_WAITS,
} from "./support/reference.js";

/** The same programs every time; with FAULTLINE_FULL many more, and others each time. */
const FULL = process.env.FAULTLINE_FULL === "1";
const few = (numRuns: number) => (FULL ? { numRuns: numRuns * 50 } : { numRuns, seed: 1 });
const PATIENCE = { timeout: FULL ? 600_000 : 60_000 };
const VOCABULARY_NAMES = Object.keys(VOCABULARIES) as Vocabulary[];

const SAMPLED = [...PUBLISHED, ...OWN].filter(({ ends: { complete, blocked } }) => complete + blocked <= 24);

describe("brute force", () => {
  for (const { program, ends: counts } of [...PUBLISHED, ...OWN]) {
    test(`${program.name}: ${counts.complete} complete`, () => expect(ends(everyTrace(program))).toEqual(counts));
  }

  test("a schedule with few preemptions: as many as there should be", () => {
    const schedules = (preemptions: number) =>
      countWith((world) => new EverySchedule(world, { preemptions }), privateSteps(3, 10)).executions;
    expect([0, 1, 2].map(schedules)).toEqual([6, 168, 3300]);
  });

  test("a past is enough to know what follows", PATIENCE, () => {
    fc.assert(
      fc.property(randomPrograms(3, 3, "everything"), (program) => {
        const all = countWith((world) => new EverySchedule(world), program);
        expect(new Map([...everyTrace(program).traces].sort())).toEqual(new Map([...all.traces].sort()));
      }),
      few(100),
    );
  });

  test("each preemption adds traces, until there are no more", PATIENCE, () => {
    fc.assert(
      fc.property(randomPrograms(3, 4, "everything"), (program) => {
        const all = new Set(everyTrace(program).traces.keys());
        let before = new Set<string>();
        for (let preemptions = 0; before.size < all.size; preemptions++) {
          const found = new Set(everyTrace(program, preemptions).traces.keys());
          expect([...before].filter((trace) => !found.has(trace))).toEqual([]);
          expect([...found].filter((trace) => !all.has(trace))).toEqual([]);
          expect(preemptions).toBeLessThan(13);
          before = found;
        }
      }),
      few(50),
    );
  });

  test("a store of what was there is no change where that is asked", () => {
    const twice: Program = { name: "same", words: 1, actors: actors(2, sameStore) };
    expect(ends(everyTrace(twice)).complete).toBe(2);
    expect(ends(everyTrace(twice, undefined, { silentStores: true })).complete).toBe(1);
  });
});

test("a strategy that leaves traces out, or takes one twice, is found out", () => {
  const candidate: Candidate = {
    name: "lazy",
    make: (world) => new EverySchedule(world, { preemptions: 0 }),
    once: false,
    neverAbandons: true,
    actors: 2,
    large: false,
    waits: true,
  };
  expect(() => expectSameTraces(candidate, storeBuffering())).toThrow("not found");
  const twice = { ...candidate, make: (world: World) => new EverySchedule(world), once: true };
  expect(() => expectSameTraces(twice, storeBuffering())).toThrow("repeated");
});

for (const candidate of CANDIDATES) {
  describe(candidate.name, () => {
    const fits = ({ program, ends: { complete } }: Reference) =>
      program.actors.length <= candidate.actors && (candidate.large || complete <= 100);
    for (const { program, ends: counts } of [...PUBLISHED, ...OWN].filter(fits)) {
      test(`${program.name}: ${counts.complete} complete`, () => {
        const found = countWith(candidate.make, program);
        expect(ends(found)).toEqual(counts);
        expectKept(candidate, found);
      });
    }

    test("the same counts whatever the order of the actors", () => {
      for (const { program, ends: counts } of PUBLISHED.filter(fits)) {
        const turned = { ...program, actors: [...program.actors].reverse() };
        expect(ends(countWith(candidate.make, turned)), program.name).toEqual(counts);
      }
    });

    for (const vocabulary of candidate.waits ? VOCABULARY_NAMES : WITHOUT_WAITS) {
      for (const options of [{}, { silentStores: true, begins: true }]) {
        test(`random programs of ${vocabulary} ${JSON.stringify(options)}`, PATIENCE, () => {
          const property = fc.property(randomPrograms(3, candidate.large ? 4 : 2, vocabulary), (program) => {
            expectSameTraces(candidate, program, options);
          });
          fc.assert(property, few(60));
        });
      }
    }
  });
}

for (const candidate of BOUNDED) {
  describe(`${candidate.name}, bounded`, () => {
    for (const preemptions of [0, 1, 2]) {
      test(`random programs, ${preemptions} preemptions`, PATIENCE, () => {
        const vocabulary = candidate.waits ? "everything" : "pairs";
        const property = fc.property(randomPrograms(3, 4, vocabulary), (program) => {
          expectBoundKept(candidate, program, preemptions);
        });
        fc.assert(property, few(50));
      });
    }
  });
}

for (const sampler of SAMPLERS) {
  describe(sampler.name, () => {
    for (const { program, ends: counts } of SAMPLED) {
      test(`${program.name}: of ${counts.complete} all that it reaches, and nothing else`, () => {
        const found = countWith((world) => sampler.make(world, 1), program, { sample: 4000 });
        if (sampler.reachesAll) expect(missing(found, everyTrace(program)), "not found").toEqual([]);
        expect(missing(everyTrace(program), found), "not an execution").toEqual([]);
      });
    }
  });
}

/** Actors of so many steps, none of which touches what another does. */
function privateSteps(count: number, steps: number): Program {
  return {
    name: "private",
    words: count,
    actors: actors(count, function* (i) {
      for (let step = 0; step < steps; step++) yield load(i);
    }),
  };
}

function* sameStore() {
  yield store(0, 0);
}
