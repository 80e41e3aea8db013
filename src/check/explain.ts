/**
 * From a failure to its explanation: the schedule made smaller, run again, told by callers and names, drawn.
 *
 *   failure ─minimise─▶ schedule ─story─▶ steps with names and values ─callers─▶ with places ─report─▶ text
 *
 * The caller says how a checker is made, for it alone knows scenario, policy, tables and layout.
 */
import { type CallSite, nameCallers } from "./callers.js";
import type { Checker } from "./checker.js";
import type { Site } from "./event.js";
import { minimise } from "./minimise.js";
import type { CoreLayout } from "./names.js";
import { Replay } from "./replay.js";
import { report } from "./report.js";
import type { Failure } from "./scenario.js";
import { encode, type Schedule } from "./schedule.js";
import { type Story, story } from "./story.js";

/** The told build (tools/build-twin.mjs: buildTold): what runs in the place of hooked.wasm to learn who called. */
export interface Told {
  hooked: WebAssembly.Module;
  sites: readonly Site[];
  calls: readonly CallSite[];
}

/** A new checker of the failing build, or, given `told`, of that build with the told modules in the place of its own. */
export type MakeChecker = (keep: readonly number[] | undefined, told?: Told) => Checker;

export interface Explained {
  schedule: Schedule;
  /** What `--replay` takes. */
  encoded: string;
  /** Undefined when the schedule breaks nothing. */
  failure: Failure | undefined;
  story: Story;
  text: string;
}

/** The shortest schedule found that breaks the same rule. `operations`: how many each actor has. */
export function smaller(make: MakeChecker, start: Schedule, operations: readonly number[], budget?: number): Schedule {
  const checkers = new Map<string, Checker>();
  const fails = ({ keep, runs }: Schedule) => {
    const key = String(keep);
    const checker = checkers.get(key) ?? make(keep);
    checkers.set(key, checker);
    return checker.run(new Replay(runs));
  };
  return minimise(start, operations, fails, budget).schedule;
}

/** Tells a schedule, whether it breaks a rule or not. Without `told`, each step keeps the place of its innermost helper. */
export function explain(make: MakeChecker, schedule: Schedule, layout: CoreLayout, told?: Told): Explained {
  const tale = story(make(schedule.keep), schedule.runs, layout);
  if (told) nameCallers(tale, make(schedule.keep, told), told.calls);
  const encoded = encode(schedule);
  const text = `${report(tale)}\n\nto see it again: --replay '${encoded}'`;
  return { schedule, encoded, failure: tale.failure, story: tale, text };
}
