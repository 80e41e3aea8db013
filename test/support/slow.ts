/** Tests that build a core of their own, half a minute each on a busy machine: FAULTLINE_SLOW=1 runs them, as .ci/run does. */
import { test } from "vitest";

export const slowTest = test.skipIf(process.env.FAULTLINE_SLOW !== "1");
