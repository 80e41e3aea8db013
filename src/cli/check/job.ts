/**
 * cli/check/job.ts: what a worker is asked and what it answers. Both cross threads: plain data only.
 *
 * A job is one scenario under one setting, on the core that ships or on a changed one; or one schedule to be replayed.
 */
import type { StrategyName, Verdict } from "../../check/explore.js";
import { type Freer, MIXTURE_PATCHES, mixtureTables, type Walker } from "../../check/mixtures.js";
import { SCENARIOS } from "../../check/scenarios/index.js";
import type { Schedule } from "../../check/schedule.js";
import { type Patch, TWINS } from "../../check/twins/index.js";
import { PRETOUCHES } from "../options.js";
import {
  LAYOUTS,
  type Numbers,
  nameOf,
  numbersOf,
  POLICIES,
  PROTECTIONS,
  type Setting,
  type Subject,
  textOf,
} from "./setting.js";

/** How to look. */
export interface Search {
  /** Absent: a portfolio (portfolio.ts). */
  readonly strategy?: StrategyName | undefined;
  readonly bound?: number | undefined;
  readonly seed?: number | undefined;
  readonly executions?: number | undefined;
  readonly milliseconds?: number | undefined;
}

export interface Job {
  /** Place among all jobs: a violation in one ends those after it. */
  readonly index: number;
  readonly subject: Subject;
  /** `irqIsReader`: false where interrupts off are to be no reader section; check/scheduler.ts. */
  readonly boot: Numbers & { readonly irqIsReader?: boolean };
  /** Absent: the core that ships. */
  readonly patches?: readonly Patch[] | undefined;
  readonly search: Search;
  /** Whether a failure is made smaller and told. */
  readonly tell: boolean;
  readonly replay?: Schedule | undefined;
}

/** A failing execution, for people. */
export interface Told {
  readonly text: string;
  /** What --replay takes. */
  readonly schedule: string;
  /** The execution as a Chrome trace, JSON; absent where no one execution shows the failure. */
  readonly trace?: string;
}

/** A verdict, and the option that goes on where a stopped sample ended. */
export interface Found extends Verdict {
  resume?: string;
}

export interface Answer {
  readonly verdict: Found;
  readonly told?: Told | undefined;
}

export function jobsOf(scenarios: readonly string[], settings: readonly Setting[], search: Search): Job[] {
  const subjects = scenarios.flatMap((scenario) => settings.map((setting) => ({ scenario, ...setting })));
  return subjects.map((subject, index) => ({ index, subject, ...buildOf(subject), search, tell: true }));
}

/** `names`: of twins, or of scenarios that look for them; all when empty. */
export function twinJobs(names: readonly string[], settings: readonly Setting[] | undefined, search: Search): Job[] {
  const chosen = TWINS.filter(
    ({ name, scenario }) => names.length === 0 || [name, scenario].some((n) => names.includes(n)),
  )
    .map((twin) => ({ twin, subject: twinSubject(twin.name) }))
    .filter(({ subject }) => settings === undefined || settings.some((setting) => same(setting, subject)));
  return chosen.map(({ subject }, index) => {
    return { index, subject, ...buildOf(subject), search, tell: chosen.length === 1 };
  });
}

/** The job that replays: its names must exist. */
export function replayJob(subject: Subject, replay: Schedule): Job {
  return { index: 0, subject, ...buildOf(subject), search: {}, tell: true, replay };
}

export function twinSubject(name: string): Subject {
  const { policy, tables = 0, layout = 0, pretouch = 0, scenario } = TWINS.find((twin) => twin.name === name)!;
  const setting = {
    fault: nameOf(POLICIES, policy),
    tables: nameOf(PROTECTIONS, tables),
    layout: nameOf(LAYOUTS, layout),
    pretouch: nameOf(PRETOUCHES, pretouch),
  };
  return { scenario, ...setting, twin: name };
}

/** What distinguishes the text of a scenario, with everything its actors do. */
export function scenarioText(name: string): string {
  const { actors, ...rest } = SCENARIOS.find((scenario) => scenario.name === name)!;
  return JSON.stringify({ ...rest, actors: actors.map((operations) => operations.map(({ text }) => text)) });
}

function buildOf(subject: Subject): Pick<Job, "boot" | "patches"> {
  const [walker, freer] = subject.tables.split("+");
  if (freer !== undefined) {
    const tables = mixtureTables(walker as Walker, freer as Freer);
    return { boot: { ...numbersOf(subject), tables }, patches: MIXTURE_PATCHES };
  }
  return { boot: numbersOf(subject), patches: TWINS.find(({ name }) => name === subject.twin)?.patches };
}

function same(a: Setting, b: Setting): boolean {
  return textOf(a) === textOf(b);
}
