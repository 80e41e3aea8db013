/**
 * cli/check/request.ts: from the options of `faultline check` to jobs. A name that does not exist, or options that do not go
 * together, are a usage error: one line, with the nearest names.
 */
import type { StrategyName } from "../../check/explore.js";
import { FREERS, WALKERS } from "../../check/mixtures.js";
import { SCENARIOS } from "../../check/scenarios/index.js";
import { BadSchedule, decode } from "../../check/schedule.js";
import { TWINS } from "../../check/twins/index.js";
import { unknownName } from "../nearest.js";
import { PRETOUCHES } from "../options.js";
import { type Job, jobsOf, replayJob, type Search, twinJobs, twinSubject } from "./job.js";
import { LAYOUTS, POLICIES, PROTECTIONS, type Setting, scheduleName, subjectOf } from "./setting.js";

export interface Options {
  list?: boolean;
  fault?: string[];
  tables?: string[];
  walker?: string;
  freer?: string;
  tableLayout?: string[];
  pretouch?: string[];
  strategy?: StrategyName;
  bound?: number;
  seed?: number;
  executions?: number;
  seconds?: number;
  twins?: boolean;
  keepGoing?: boolean;
  replay?: string;
  trace?: string;
  json?: string;
  fresh?: boolean;
  jobs: number;
}

export class UsageError extends Error {}

/** What `--strategy` takes, and for which of them `--bound` and `--seed` mean something. */
export const STRATEGIES: Readonly<Record<StrategyName, { bound: boolean; seed: boolean }>> = {
  exhaustive: { bound: false, seed: false },
  optimal: { bound: false, seed: false },
  bounded: { bound: true, seed: false },
  pct: { bound: true, seed: true },
  pos: { bound: false, seed: true },
  random: { bound: false, seed: true },
};

const DEFAULTS = { fault: "optimistic", tables: "rcu", layout: "page", pretouch: "none" } as const;

export function jobsFor(names: readonly string[], options: Options): Job[] {
  if (options.replay !== undefined) return [replayed(options.replay, names, options)];
  const search = searchOf(options);
  if (options.twins) {
    for (const name of names) mustExist("twin or scenario", name, twinNames());
    const jobs = twinJobs(names, settingsGiven(options) ? settingsOf(options) : undefined, search);
    if (jobs.length === 0) throw new UsageError("no twin is built for these scenarios and settings");
    return jobs;
  }
  for (const name of names) mustExist("scenario", name, scenarioNames());
  const chosen = names.length > 0 ? [...new Set(names)] : scenarioNames();
  return jobsOf(chosen, settingsOf(options), search);
}

export function scenarioNames(): string[] {
  return SCENARIOS.map(({ name }) => name);
}

function twinNames(): string[] {
  return [...new Set(TWINS.flatMap(({ name, scenario }) => [name, scenario]))];
}

function searchOf({ strategy, bound, seed, executions, seconds }: Options): Search {
  const takes = strategy ? STRATEGIES[strategy] : { bound: false, seed: false };
  const of = (has: "bound" | "seed") =>
    Object.entries(STRATEGIES)
      .filter(([, each]) => each[has])
      .map(([name]) => name)
      .join(", ");
  if (bound !== undefined && !takes.bound) throw new UsageError(`--bound goes with --strategy ${of("bound")}`);
  if (seed !== undefined && !takes.seed) throw new UsageError(`--seed goes with --strategy ${of("seed")}`);
  if (strategy === "pct" && bound === 0) throw new UsageError("--bound is at least 1 for pct: the depth of a bug");
  return { strategy, bound, seed, executions, milliseconds: seconds === undefined ? undefined : seconds * 1000 };
}

function settingsGiven({ fault, tables, tableLayout, pretouch, walker, freer }: Options): boolean {
  return [fault, tables, tableLayout, pretouch, walker, freer].some((option) => option !== undefined);
}

function settingsOf(options: Options): Setting[] {
  const { fault: faults = [DEFAULTS.fault], tableLayout: layouts = [DEFAULTS.layout] } = options;
  const { pretouch: pretouches = [DEFAULTS.pretouch] } = options;
  return faults.flatMap((fault) =>
    pretouches.flatMap((pretouch) =>
      layouts.flatMap((layout) => tablesOf(options).map((tables) => ({ fault, pretouch, tables, layout }))),
    ),
  );
}

function tablesOf({ tables, walker, freer }: Options): string[] {
  if (walker === undefined && freer === undefined) return (tables ?? [DEFAULTS.tables]).map(unprotected);
  if (tables !== undefined) throw new UsageError("--walker and --freer stand in the place of --tables");
  if (walker === undefined || freer === undefined) throw new UsageError("--walker and --freer go together");
  return [mixed(walker, freer)];
}

/** `none`: nothing keeps a table, and it is freed at its unlinking. */
function unprotected(tables: string): string {
  return tables === "none" ? mixed("none", "now") : tables;
}

/** The name of a pairing, in the place of a protection's. */
function mixed(walker: string, freer: string): string {
  mustExist("walker", walker, WALKERS);
  mustExist("freer", freer, FREERS);
  return `${walker}+${freer}`;
}

function replayed(text: string, names: readonly string[], options: Options): Job {
  if (names.length > 0 || options.twins || settingsGiven(options) || options.strategy !== undefined) {
    throw new UsageError("--replay stands alone: a schedule names its scenario and setting");
  }
  try {
    const schedule = decode(text);
    const subject = subjectOf(schedule.name);
    mustExist("scenario", subject.scenario, scenarioNames());
    mustExist("policy", subject.fault, Object.keys(POLICIES));
    mustExist("pretouch", subject.pretouch!, Object.keys(PRETOUCHES));
    mustExist("layout", subject.layout, Object.keys(LAYOUTS));
    const [walker, freer] = subject.tables.split("+");
    if (freer === undefined) mustExist("protection", walker, Object.keys(PROTECTIONS));
    else mixed(walker, freer);
    if (subject.twin !== undefined) {
      mustExist(
        "twin",
        subject.twin,
        TWINS.map(({ name }) => name),
      );
      if (scheduleName(twinSubject(subject.twin)) !== schedule.name)
        throw new BadSchedule("a twin under another setting");
    }
    return replayJob(subject, schedule);
  } catch (error) {
    throw error instanceof BadSchedule ? new UsageError(error.message) : error;
  }
}

function mustExist(kind: string, name: string, names: readonly string[]): void {
  if (!names.includes(name)) throw new UsageError(unknownName(kind, name, names));
}
