/** A scenario: what is mapped before, and what each actor does. An actor is one guest thread on a CPU of its own. */
import type { Operation } from "./operations.js";
import type { Run } from "./schedule.js";
import type { Rule } from "./violation.js";

export interface Mapping {
  at: number;
  pages: number;
  prot: number;
  /**
   * touched: each page has a frame, in every CPU's TLB. framed: in the last CPU's TLB only. emptied: the frames are gone
   * again, their tables are there. Without: no table yet.
   */
  state?: "touched" | "framed" | "emptied";
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** Mapped before anything runs. */
  readonly before: readonly Mapping[];
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
  /** Two places in the trace that conflict, where the rule knows them; else the report looks for them. */
  pair?: readonly [number, number];
  /** Who ran, in what order: what Replay takes. */
  runs: readonly Run[];
  /** One column an actor. */
  columns: string;
}
