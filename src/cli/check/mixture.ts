/**
 * cli/check/mixture.ts: pairings of walker and freer that the shipping core does not hold, and how a core is built that does.
 *
 * This is the one place that knows them: `mixtureOf` answers with the patches of that core and the number that boot() takes
 * for the protection. A name that it does not know is refused by the command line.
 */
import type { Patch } from "../../check/twins/index.js";
import type { Tables } from "../../core/abi/mman.js";

export const WALKERS = ["irq", "rcu", "none"] as const;
export const FREERS = ["ipi", "rcu", "now"] as const;

export interface Mixture {
  readonly patches: readonly Patch[];
  readonly tables: Tables;
}

/** The two pairings that ship need no patches; undefined for the others, as long as no build holds them. */
export function mixtureOf(_walker: string, _freer: string): Mixture | undefined {
  return undefined;
}
