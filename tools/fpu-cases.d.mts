export interface Operation {
  name: string;
  family: string;
  width: number;
  arity: number;
  shape: "fm" | "f" | "";
}

export interface Case {
  operation: number;
  rm: number;
  a: bigint;
  b: bigint;
  c: bigint;
}

export const operations: Operation[];
export function cases(seed: number, count: number): Generator<Case>;
export function specialCases(): Generator<Case>;
