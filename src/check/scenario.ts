/** A scenario: what is mapped before, and what each actor does. An actor is one guest thread on a CPU of its own. */
import type { Operation } from "./operations.js";
import type { Rule } from "./violation.js";

export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** Pages mapped before anything runs; `touched` ones have a frame already, in every CPU's TLB. */
  readonly before: readonly { at: number; pages: number; prot: number; touched?: boolean }[];
  /** Where the heap begins. */
  readonly heap?: number;
  readonly actors: readonly (readonly Operation[])[];
}

/** What one execution ended in. */
export interface Failure {
  seed: number;
  rule: Rule;
  text: string;
  hash: string;
  /** One column an actor. */
  columns: string;
}
