/**
 * cli/check/mixture.ts: pairings of walker and freer (--walker, --freer, --tables none), and how a core is built that has them.
 */
import { FREERS, type Freer, MIXTURE_PATCHES, mixtureTables, WALKERS, type Walker } from "../../check/mixtures.js";
import type { Patch } from "../../check/twins/index.js";
import { Tables } from "../../core/abi/mman.js";

export { FREERS, WALKERS };

export interface Mixture {
  /** Absent: the core that ships has it. */
  readonly patches?: readonly Patch[];
  readonly tables: Tables;
}

/** Both names must be known. */
export function mixtureOf(walker: string, freer: string): Mixture {
  if (walker === "irq" && freer === "ipi") return { tables: Tables.Irq };
  if (walker === "rcu" && freer === "rcu") return { tables: Tables.Rcu };
  return { patches: MIXTURE_PATCHES, tables: mixtureTables(walker as Walker, freer as Freer) };
}
