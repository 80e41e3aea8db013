/** A handful of mutants, each looked for for a few seconds: the mutation run itself works, and finds what it found before. */
import { describe, expect, test } from "vitest";
import { allMutants, sample } from "../../tools/mutants.mjs";
import { report, runMutants } from "../../tools/mutation-run.mjs";

/** Of these, how many must be killed: the others are known survivors (docs/mutants.md). */
const SIZE = 12;
const SEED = 5;

describe.skipIf(process.env.FAULTLINE_FULL !== "1")("mutants", () => {
  test(`a third of ${SIZE} mutants is killed in seconds`, { timeout: 600_000 }, async () => {
    const results = await runMutants(sample(allMutants(), SIZE, SEED), { seconds: 4 });
    process.stdout.write(`${report(results)}\n`);
    expect(results.filter(({ outcome }) => outcome === "fault" || outcome === "not built")).toEqual([]);
    const killed = results.filter(({ outcome }) => outcome === "killed");
    expect(killed.length).toBeGreaterThanOrEqual(SIZE / 3);
  });
});
