export interface Mutant {
  number: number;
  file: string;
  line: number;
  function: string;
  rule: string;
  form: "expression" | "statement" | "sequence";
  start: number;
  end: number;
  before: string;
  after: string;
  addition?: string;
}

export function allMutants(): Mutant[];
export function sample(mutants: readonly Mutant[], size: number, seed?: number): Mutant[];
export function mutantsOf(file: string, text?: string): Omit<Mutant, "number">[];
export function mutated(mutant: Mutant): string;
export function switchable(mutant: Mutant): boolean;
export function switched(file: string, mutants: readonly Mutant[]): string;
