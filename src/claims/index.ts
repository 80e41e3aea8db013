/** The ten claims of the argument of 29 April 2021, in its order. */
import type { Claim } from "./claim.js";
import { c7 } from "./freeing.js";
import { c9, c10 } from "./history.js";
import { c1, c2, c8 } from "./keeping.js";
import { c3 } from "./lines.js";
import { c4, c5, c6 } from "./locks.js";

export const CLAIMS: readonly Claim[] = [c1, c2, c3, c4, c5, c6, c7, c8, c9, c10];
