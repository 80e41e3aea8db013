/** Buggy twins must be found within a bounded number of seeds: some here, the others in test/full. */
import { describe, expect, test } from "vitest";
import { buildTwin, StalePatch } from "../tools/build-twin.mjs";
import { FEW_TWINS, mustBeFound } from "./support/twins.js";

describe("buggy twins", () => {
  for (const twin of FEW_TWINS) {
    test(`${twin.name} is found: ${twin.about}`, { timeout: 180_000 }, () => mustBeFound(twin));
  }
});

test("a patch whose line is not there stops the build", async () => {
  const patch = { file: "mm/commit.ts", line: "no such line;", replacement: "" };
  await expect(buildTwin([patch])).rejects.toThrow(StalePatch);
  await expect(buildTwin([patch])).rejects.toThrow('mm/commit.ts: the line "no such line;" is there 0 times, not once');
});
