/** The buggy twins that test/check-twins.test.ts leaves out: each is found, also those that random walks find rarely. */
import { describe, test } from "vitest";
import { TWINS } from "../../src/check/twins/index.js";
import { FEW_TWINS, mustBeFound } from "../support/twins.js";

describe.skipIf(process.env.FAULTLINE_FULL !== "1")("twins, all others", () => {
  for (const twin of TWINS.filter((twin) => !FEW_TWINS.includes(twin))) {
    test(`${twin.name} is found: ${twin.about}`, { timeout: 180_000 }, () => mustBeFound(twin));
  }
});
