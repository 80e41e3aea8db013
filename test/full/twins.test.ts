/** The buggy twins that random walks find rarely, and those that break what another one breaks too. */
import { describe, test } from "vitest";
import { TWINS } from "../../src/check/twins/index.js";
import { mustBeFound } from "../support/twins.js";

describe.skipIf(process.env.FAULTLINE_FULL !== "1")("twins, all others", () => {
  for (const twin of TWINS.filter(({ seeds, long }) => seeds !== undefined || long)) {
    test(`${twin.name} is found: ${twin.about}`, { timeout: 180_000 }, () => mustBeFound(twin));
  }
});
