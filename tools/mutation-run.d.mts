import type { Mutant } from "./mutants.mjs";

export interface Hunted extends Mutant {
  outcome: "killed" | "survived" | "same" | "not built" | "fault";
  kill?: { by: string; rule: string; text: string; scenario?: string; setting: string; seed?: number };
  reason?: string;
}

export function runMutants(
  mutants: readonly Mutant[],
  options?: { jobs?: number; seconds?: number; told?: (result: Hunted) => void; said?: (text: string) => void },
): Promise<Hunted[]>;
export function report(results: readonly Hunted[]): string;
