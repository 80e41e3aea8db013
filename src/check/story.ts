/**
 * An execution, run once more to be told: what each step was on, in the words of the source, and what it saw.
 *
 *   schedule ──Replay──▶ the same execution ──before each step──▶ the word's name, and its value
 *                                           ──before the next───▶ its value after
 *
 * Names and values are asked for at the moment of each step: a frame that is free at the end was a table once.
 */
import type { Checker } from "./checker.js";
import type { Span } from "./columns.js";
import { type Event, isMark, Mark } from "./event.js";
import type { Machine } from "./hooked.js";
import type { Lane } from "./lane.js";
import { type CoreLayout, Names } from "./names.js";
import { Replay } from "./replay.js";
import type { Failure } from "./scenario.js";
import type { Run } from "./schedule.js";
import type { Strategy } from "./strategy.js";

export interface Place {
  file: string;
  line: number;
  function: string;
}

export interface Step extends Event {
  readonly lane: Lane;
  /** As sites.json has it; empty for a mark. */
  instruction: string;
  /** What the address is; empty for a mark. */
  name: string;
  /** The word is a page-table entry. */
  entry: boolean;
  before: bigint | undefined;
  after: bigint | undefined;
  /** The descriptor of the frame that the step is in. */
  descriptor: number | undefined;
  /** Where in the source, the innermost first, then who called. */
  places: readonly Place[];
}

/** A lane that never ended, and what it was stopped at. */
export interface Standing {
  readonly lane: Lane;
  readonly event: Event;
  readonly name: string;
}

export interface Story {
  readonly steps: readonly Step[];
  readonly lanes: readonly Lane[];
  readonly spans: readonly Span[];
  /** What it broke; undefined when it broke nothing. */
  readonly failure: Failure | undefined;
  readonly names: Names;
  /** What each lane that has not ended would have done next; where the execution ended. */
  readonly standing: readonly Standing[];
  /** Functions whose callers' places say more than their own (callers.ts). */
  helpers: ReadonlySet<string>;
}

/** Past this many events from either end, steps are kept without names: an execution that does not end has too many. */
const NAMED = 20_000;

/** Runs the schedule on a checker of its own. */
export function story(checker: Checker, runs: readonly Run[], layout: CoreLayout): Story {
  const names = new Names(checker.machine, layout);
  const recorder = new Recorder(checker.machine, new Replay(runs), names, runs);
  const failure = checker.run(recorder);
  const { steps } = recorder;
  steps.length = checker.scheduler.trace.length;
  for (const step of steps) step.places = innermost(checker, step);
  const standing = checker.scheduler.lanes.filter(({ call }) => call).map((lane) => stopped(lane, names));
  return {
    standing,
    steps,
    lanes: checker.scheduler.lanes,
    spans: [...checker.spans],
    failure,
    names,
    helpers: new Set(),
  };
}

function stopped(lane: Lane, names: Names): Standing {
  const event = { ...lane.event };
  const hasWord = !isMark(event.kind) || event.kind === Mark.Pause || event.kind === Mark.Wake;
  return { lane, event, name: hasWord ? names.of(event.address).text : "" };
}

function innermost({ machine }: Checker, { kind, site }: Step): Place[] {
  const found = isMark(kind) ? undefined : machine.sites[site];
  return found?.file ? [{ file: found.file, line: found.line!, function: found.function }] : [];
}

class Recorder implements Strategy {
  readonly claim = "one schedule";
  readonly steps: Step[] = [];
  readonly #machine: Machine;
  readonly #replay: Replay;
  readonly #names: Names;
  readonly #view: DataView;
  readonly #total: number;

  constructor(machine: Machine, replay: Replay, names: Names, runs: readonly Run[]) {
    this.#machine = machine;
    this.#replay = replay;
    this.#names = names;
    this.#view = new DataView(machine.memory.buffer);
    this.#total = runs.reduce((sum, { events }) => sum + events, 0);
  }

  begin(lanes: readonly Lane[]): void {
    this.#replay.begin(lanes);
  }

  choose(enabled: readonly Lane[], last: Lane | undefined): Lane {
    const done = this.steps.at(-1);
    if (done && done.before !== undefined) done.after = this.#value(done);
    const lane = this.#replay.choose(enabled, last);
    this.steps.push(this.#step(lane));
    return lane;
  }

  #step(lane: Lane): Step {
    const { kind, address, width, site } = lane.event;
    const step: Step = {
      lane,
      kind,
      address,
      width,
      site,
      instruction: isMark(kind) ? "" : this.#machine.sites[site].instruction,
      name: "",
      entry: false,
      before: undefined,
      after: undefined,
      descriptor: undefined,
      places: [],
    };
    const i = this.steps.length;
    if (kind === Mark.Pause || kind === Mark.Wake) step.name = this.#names.of(address).text;
    if (isMark(kind) || address >= this.#machine.bytes.length || (i > NAMED && i < this.#total - NAMED)) return step;
    const { text, entry } = this.#names.of(address);
    step.name = text;
    step.entry = entry;
    step.before = this.#value(step);
    step.descriptor = this.#names.descriptorOf(address);
    return step;
  }

  #value({ address, width }: Step): bigint | undefined {
    const view = this.#view;
    if (width === 1) return BigInt(view.getUint8(address));
    if (width === 2) return BigInt(view.getUint16(address, true));
    if (width === 4) return BigInt(view.getUint32(address, true));
    return width === 8 ? view.getBigUint64(address, true) : undefined;
  }
}
