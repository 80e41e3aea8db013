/** Tests of many seconds, most of which build a core of their own: FAULTLINE_SLOW=1 runs them, as .ci/run does. */
import { test } from "vitest";

export const slowTest = test.skipIf(process.env.FAULTLINE_SLOW !== "1");
