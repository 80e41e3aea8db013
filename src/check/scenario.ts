/** A scenario: what is mapped before, and what each actor does. An actor is one guest thread on a CPU of its own. */
import type { Operation } from "./operations.js";
import type { Run } from "./schedule.js";
import type { Rule } from "./violation.js";

export interface Mapping {
  at: number;
  pages: number;
  prot: number;
  /**
   * touched: each page has a frame, in every CPU's TLB. framed: in the last CPU's TLB only. seen: touched by reads only.
   * narrowed: touched, then its right to write was taken and given back: the entries are read-only, and the page its own.
   * emptied: the frames are gone again, their tables are there; a file's pages are cached still. Without: no table yet.
   */
  state?: "touched" | "framed" | "seen" | "narrowed" | "emptied";
  /** The CPU that touches and empties, whose free list the frames come from and go to; the first when not said. */
  by?: number;
  /** Pages of a file, where it has its place (FileAtStart.at); or shared anonymous memory. Private anonymous when not said. */
  of?: { file: FileAtStart; kind: "private" | "shared" } | "shared";
  /** Number of the space it is in. */
  space?: number;
  /** MAP_GROWSDOWN, and how many pages below it an access may make part of it. */
  grows?: number;
}

/** A file that the host has. Its first page is mapped at `at`, in whatever space it is mapped. At most four pages. */
export interface FileAtStart {
  readonly id: number;
  readonly at: number;
  readonly size: number;
  /** Offset and value; the others are zero. */
  readonly bytes: readonly (readonly [number, number])[];
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** What races, what it is about: scenarios/index.ts. */
  readonly tags: readonly string[];
  /** Mapped before anything runs. */
  readonly before: readonly Mapping[];
  readonly files?: readonly FileAtStart[];
  /** There are two spaces: 1 is empty at first, or a fork of 0 made when all is mapped and touched. */
  readonly second?: "empty" | "fork";
  /** Of each actor, the number of the space its CPU is in; 0 when not said. */
  readonly home?: readonly number[];
  /** Where the heap begins. */
  readonly heap?: number;
  /** How many frames are free in all when the actors start. Unlimited, for a scenario, when not said. */
  readonly frames?: number;
  /** With `frames: 0`: how many VMAs can still be made. */
  readonly records?: number;
  /** Actors whose CPU is awake but outside the cpumask. */
  readonly away?: readonly number[];
  /** Actors whose CPU is not online until it joins. */
  readonly offline?: readonly number[];
  readonly actors: readonly (readonly Operation[])[];
  /** Why no buggy twin can be written for it. */
  readonly noTwin?: string;
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
