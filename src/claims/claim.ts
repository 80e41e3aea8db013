/**
 * What a claim of the argument is, what it asks of the engines, and what is made of their answers.
 *
 *   claim ──asks──▶ the engines (check, predict, run) ──answers──▶ judge() ──▶ verdict, its bound, figures
 *
 * Promise   a verdict is computed from the answers alone: other answers, another verdict. A claim one of whose answers is
 *           missing is not judged.
 */
import type { Verdict } from "../check/explore.js";
import type { Pretouch } from "../core/abi/mman.js";
import type { ConstantName } from "../predict/constants.js";
import type { Flush, LayoutName } from "../predict/machine.js";
import type { Outcome } from "../predict/run.js";
import type { CoreName } from "./cores.js";

/** A scenario under a setting, explored; `tables` may be a pairing, "irq+rcu". */
export interface CheckAsk {
  readonly kind: "check";
  readonly scenario: string;
  readonly fault: string;
  readonly tables: string;
  /** A buggy twin's name: its scenario and setting are then its own. */
  readonly twin?: string;
  /** Absent: as far as the time allows, the strongest verdict that is earned. */
  readonly strategy?: "bounded";
  readonly bound?: number;
  /** Absent: until it is finished. */
  readonly milliseconds?: number;
  /** False: interrupts off do not count as an RCU reader, as before Linux 4.20. */
  readonly irqIsReader?: boolean;
  /** A violation is made smaller and gets a schedule: it takes one more build of the core. */
  readonly tell?: boolean;
}

/** A simulated run on a machine, some of its constants changed. */
export interface PointAsk {
  readonly kind: "point";
  readonly machine: string;
  readonly values?: Partial<Record<ConstantName, number>>;
  readonly workload: string;
  readonly cpus: number;
  readonly fault: string;
  readonly tables: string;
  readonly layout?: LayoutName;
  /** None when not said. */
  readonly pretouch?: Pretouch;
  /** A changed core; the one that ships when not said. */
  readonly core?: CoreName;
  readonly seeds: number;
  readonly operations: number;
}

/** The 64-byte lines that an actor's operations touch and write. */
export interface LinesAsk {
  readonly kind: "lines";
  readonly scenario: string;
  readonly fault: string;
  readonly tables: string;
  readonly actor: number;
}

/** The bundled storm on real threads, with what `--stats-json` says. */
export interface RunAsk {
  readonly kind: "run";
  readonly tables: string;
  readonly layout: LayoutName;
  readonly rounds: number;
}

export type Ask = CheckAsk | PointAsk | LinesAsk | RunAsk;

export interface CheckAnswer {
  readonly verdict: Verdict;
  /** What `check --replay` takes, of a violation. */
  readonly schedule?: string | undefined;
}

/** The mean of the seeds. */
export interface PointAnswer {
  /** How its machine flushes TLBs. */
  readonly flush: Flush;
  readonly rate: number;
  /** Standard error of the mean. */
  readonly error: number;
  readonly spent: Readonly<Record<string, number>>;
  readonly faults: Outcome["faults"];
  readonly unmaps: Outcome["unmaps"];
  readonly ipis: Outcome["ipis"];
  readonly irqOff: Outcome["irqOff"];
  readonly footprint: Outcome["footprint"];
}

/** Lines by what they are, the actor's own CPU's apart; counts of the execution with fewest. */
export interface LinesAnswer {
  readonly touched: Readonly<Record<string, number>>;
  readonly written: Readonly<Record<string, number>>;
  readonly own: number;
}

export interface RunAnswer {
  readonly wallMs: number;
  readonly faults: number;
  readonly tables: { readonly allocated: number; readonly freed: number; readonly deferred: number };
  readonly gracePeriods: number;
}

/** By ask; throws Unanswered. */
export interface Answers {
  check(ask: CheckAsk): CheckAnswer;
  point(ask: PointAsk): PointAnswer;
  lines(ask: LinesAsk): LinesAnswer;
  run(ask: RunAsk): RunAnswer;
}

/** The engine was interrupted, or out of time, before it answered. */
export class Unanswered extends Error {}

export const WORDS = ["holds", "does not hold", "depends", "judgement"] as const;
export type Word = (typeof WORDS)[number];

export interface Figure {
  readonly what: string;
  readonly value: string;
}

export interface Judgement {
  readonly verdict: Word;
  /** On what it depends, or what decides it: one line. */
  readonly because: string;
  /** How far it reaches: what was explored, what was assumed. */
  readonly bound: string;
  readonly figures: readonly Figure[];
}

export interface Claim {
  readonly name: string;
  /** In one line. */
  readonly claim: string;
  readonly by: string;
  readonly tested: string;
  /** What is to be known; less of it when there is a minute only. */
  asks(quick: boolean): readonly Ask[];
  judge(answers: Answers, quick: boolean): Judgement;
}

export function keyOf(ask: Ask): string {
  return JSON.stringify(
    ask,
    Object.keys(ask)
      .sort()
      .concat(Object.keys("values" in ask ? (ask.values ?? {}) : {})),
  );
}

/** "12.3 M", "456 k". */
export function perSecond(rate: number): string {
  return rate >= 1e6 ? `${(rate / 1e6).toFixed(2)} M/s` : `${(rate / 1e3).toFixed(0)} k/s`;
}

export function nanoseconds(ns: number): string {
  if (ns < 10_000) return `${ns.toFixed(0)} ns`;
  return ns < 10_000_000 ? `${(ns / 1e3).toFixed(0)} µs` : `${(ns / 1e6).toFixed(1)} ms`;
}

/** "+12 %". */
export function change(ratio: number): string {
  const percent = 100 * (ratio - 1);
  return `${percent >= 0 ? "+" : "−"}${Math.abs(percent).toFixed(0)} %`;
}
