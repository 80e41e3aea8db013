/**
 * A buggy twin: the core with a protocol broken by a line or two. The checker must find every one in its scenario; a twin
 * that survives means that a check has gone blind. tools/build-twin.mjs compiles them; a line that is not there, exactly
 * once, stops the build.
 */
import type { Layout, Policy, Pretouch, Tables } from "../../core/abi/mman.js";
import type { Rule } from "../violation.js";

/** One source line and what stands in its place. The line is compared without its indentation. */
export interface Patch {
  file: string;
  line: string;
  replacement: string;
}

export interface Twin {
  readonly name: string;
  /** What goes wrong. */
  readonly about: string;
  readonly patches: readonly Patch[];
  readonly scenario: string;
  /** How many random walks must do, where the usual number does not. */
  readonly seeds?: number;
  /** Among the long tests only: a build takes a second, and others show the same. */
  readonly long?: boolean;
  readonly policy: Policy;
  /** Tables.Rcu when not said. */
  readonly tables?: Tables;
  /** Layout.Page when not said. */
  readonly layout?: Layout;
  /** Pretouch.None when not said. */
  readonly pretouch?: Pretouch;
  /**
   * The rules it may be caught by, each for a reason. What is freed too early shows as the access to it, or, once it is
   * another's, as the race of the two.
   */
  readonly caughtBy: readonly Rule[];
}

/** The same broken core in further scenarios, each of which must find it too. */
export function also(twin: Twin, ...others: (Partial<Twin> & { scenario: string })[]): Twin[] {
  return others.map((other) => ({ ...twin, long: true, name: `${twin.name}-in-${other.scenario}`, ...other }));
}

/** A patch of one file, from pairs of a line and what stands in its place. */
export function inFile(file: string, ...pairs: readonly [string, string][]): Patch[] {
  return pairs.map(([line, replacement]) => ({ file, line, replacement }));
}
