/** The buggy twins that random walks find rarely. */
import { describe, test } from "vitest";
import { TWINS } from "../../src/check/twins.js";
import { mustBeFound } from "../support/twins.js";

describe.skipIf(process.env.FAULTLINE_FULL !== "1")("rare twins", () => {
  for (const twin of TWINS) {
    const { seeds } = twin;
    if (seeds === undefined) continue;
    test(`${twin.name} is found: ${twin.about}`, { timeout: 120_000 }, () => mustBeFound(twin, seeds));
  }
});
