/** Strategies against programs too large for brute force. */
import { describe, expect, test } from "vitest";
import { everyTrace } from "../../src/check/reference/brute.js";
import { countWith, ends } from "../../src/check/reference/count.js";
import { LARGE, type Reference } from "../../src/check/reference/programs.js";
import { CANDIDATES, expectKept } from "../support/reference.js";

/** Brute force goes through every past: these have few enough. */
const COUNTED_BY_BRUTE_FORCE = new Set(["ainc(7)", "cinc(4)", "inc(5)", "readers(8)", "casw(5)", "wcas(7)", "wcas(8)"]);

describe.skipIf(process.env.FAULTLINE_FULL !== "1")("large reference programs", () => {
  for (const { program, ends: counts } of LARGE.filter(({ program }) => COUNTED_BY_BRUTE_FORCE.has(program.name))) {
    test(`brute force, ${program.name}`, { timeout: 360_000 }, () => expect(ends(everyTrace(program))).toEqual(counts));
  }

  for (const candidate of CANDIDATES) {
    const fits = ({ program }: Reference) => candidate.large && program.actors.length <= candidate.actors;
    for (const { program, ends: counts } of LARGE.filter(fits)) {
      test(`${candidate.name}, ${program.name}: ${counts.complete}`, { timeout: 600_000 }, () => {
        const found = countWith(candidate.make, program);
        expect(ends(found)).toEqual(counts);
        expectKept(candidate, found);
      });
    }
  }
});
