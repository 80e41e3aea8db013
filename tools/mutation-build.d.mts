import type { Mutant } from "./mutants.mjs";

export function batchesOf(mutants: readonly Mutant[]): Mutant[][];
