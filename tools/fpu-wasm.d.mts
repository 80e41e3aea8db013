import type { Case } from "./fpu-cases.mjs";

export interface Fpu {
  memory: WebAssembly.Memory;
  boxS(bits: number): bigint;
  unboxS(register: bigint): number;
  [name: string]: unknown;
}

export interface Answer {
  result: bigint;
  flags: number;
}

export function compileFpu(): Promise<Fpu>;
export function answer(fpu: Fpu, one: Case, preset: number): Answer;
