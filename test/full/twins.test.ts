/** Half of the buggy twins that test/check-twins.test.ts leaves out: each is found, also those that random walks find rarely. */
import { describe, test } from "vitest";
import { mustBeFound, otherTwins } from "../support/twins.js";

describe.skipIf(process.env.FAULTLINE_FULL !== "1")("twins", () => {
  for (const twin of otherTwins(0)) {
    test(`${twin.name} is found: ${twin.about}`, { timeout: 540_000 }, () => mustBeFound(twin));
  }
});
