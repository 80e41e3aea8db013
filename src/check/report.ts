/**
 * The report of a violation: the rule, the two steps that conflict, then the story in columns.
 *
 *   an access to a frame that is free: …
 *   these two steps conflict:
 *     actor 1  store  table 40200000 type 4 = 1           mm/frame.ts:152 < mm/table.ts:103 < mm/retire.ts:61
 *     actor 0  load   free frame 139 (was table 40200000) mm/walk.ts:27 < mm/fill.ts:22
 *
 *   actor 0                                        │ actor 1                       time runs down
 *   write 40200000 7 {                             │
 *     mm/walk.ts:27 load pgd 40000000 ➜ table in 7 │
 *     … 12 steps from mm/walk.ts:27 to …           │
 *
 * In full    steps on words that one CPU changed and another looked at, and those next to a switch; the rest is folded.
 *            When that is too long, only the accesses on either side of such a change; then only what is next to a switch.
 * Loops      a sequence of rows that repeats is drawn once, then counted.
 */
import { Step as StepKind } from "../core/abi/step.js";
import { drawn, edges, type Row, widthsOf } from "./columns.js";
import { changes, conflict, isCertain, weightOf } from "./conflict.js";
import { isMark, kindName, Mark } from "./event.js";
import type { Lane } from "./lane.js";
import type { Place, Step, Story } from "./story.js";

/** Rows that a reader takes in. */
const ENOUGH = 70;
const MOST = 100;
/** Steps of the longest round of an endless execution that is looked for. */
const LONGEST_ROUND = 2000;
/** Characters of all columns together. */
const LINE = 168;
/** A column is not made narrower, though all together are too wide then. */
const NARROWEST = 62;
const CHAIN = 6;
/** Characters of a place, so that what was done stands below what was done. */
const PLACE = 20;

export function report(story: Story): string {
  const { failure, lanes } = story;
  const pair = conflict(story);
  const interest = interestOf(story, pair ?? []);
  let rows: Row[] = [];
  for (const level of [1, 2, 3]) {
    rows = rowsOf(story, (i) => interest[i] >= level);
    if (rows.length <= ENOUGH) break;
  }
  return [
    failure?.text ?? "this schedule breaks nothing",
    ...pairLines(story, pair),
    ...standingLines(story),
    "",
    drawn(lanes, rows, widthsOf(lanes, rows.slice(-MOST), LINE, NARROWEST), MOST),
  ].join("\n");
}

function pairLines(story: Story, pair: readonly number[] | undefined): string[] {
  if (!pair) return [];
  const told = pair.map((i) => {
    const step = story.steps[i];
    return `  ${step.lane.name}  ${wordsOf(story, step)}\n           ${chain(step.places)}`;
  });
  const head = isCertain(story) ? "these two steps conflict:" : "these two steps conflict, it seems:";
  return [head, ...told];
}

/** Where everybody stands who did not end: what is waited for, and who called. */
function standingLines({ failure, standing, steps }: Story): string[] {
  if (failure?.rule !== "deadlock" && failure?.rule !== "livelock") return [];
  return standing.map(({ lane, event, name }) => {
    const last = steps.findLast((step) => step.lane === lane);
    const what =
      event.kind === Mark.Pause ? `waits until ${name} is no longer ${event.width}` : `${markName(event.kind)} ${name}`;
    return `  ${lane.name}  ${what.trim()}\n           ${chain(last?.places ?? [])}`;
  });
}

/** The place and who called, from the inside out. */
export function chain(places: readonly Place[]): string {
  const shown = places.slice(0, CHAIN).map(({ file, line }) => `${file}:${line}`);
  return shown.join(" < ") + (places.length > CHAIN ? " …" : "");
}

/** 3: next to a switch, or in conflict. 2: next to a change by another CPU. 1: on a word that CPUs share. 0: the rest. */
function interestOf({ steps, failure }: Story, pair: readonly number[]): Uint8Array {
  const interest = new Uint8Array(steps.length);
  const raise = (i: number, level: number) => {
    if (i >= 0 && i < steps.length) interest[i] = Math.max(interest[i], level);
  };
  for (const list of accessesByWord(steps)) {
    const cpus = new Set(list.map((i) => steps[i].lane.cpuIndex));
    if (cpus.size < 2 || !list.some((i) => changes(steps[i]))) continue;
    for (const [k, i] of list.entries()) {
      raise(i, 1);
      const j = list[k - 1];
      if (k === 0 || steps[j].lane.cpuIndex === steps[i].lane.cpuIndex) continue;
      if (!changes(steps[i]) && !changes(steps[j])) continue;
      raise(i, 2);
      raise(j, 2);
    }
  }
  for (let i = 1; i < steps.length; i++) {
    if (steps[i].lane === steps[i - 1].lane) continue;
    raise(i - 1, 3);
    raise(i, 3);
  }
  raise(steps.length - 1, 3);
  if (failure?.rule === "livelock") for (const i of lastRound(steps)) if (weightOf(steps[i]) > 0) raise(i, 3);
  for (const i of pair) raise(i, 3);
  return interest;
}

/** Of an execution that does not end: one round of what its last lane does over and over, if it is seen to repeat. */
function lastRound(steps: readonly Step[]): number[] {
  const end = steps.length - 1;
  const same = (a: number, b: number) =>
    steps[a]?.lane === steps[b].lane && steps[a].site === steps[b].site && steps[a].address === steps[b].address;
  for (let period = 1; period <= LONGEST_ROUND; period++) {
    let k = 0;
    while (k < 2 * period && same(end - k - period, end - k)) k++;
    if (k === 2 * period) return Array.from({ length: period }, (_, i) => end - period + 1 + i);
  }
  return [];
}

/** Places in the story by word, leaving out locks that were free, and counters. */
function accessesByWord(steps: readonly Step[]): Iterable<number[]> {
  const byWord = new Map<number, number[]>();
  for (const [i, step] of steps.entries()) {
    const { name, address, before, kind } = step;
    if (before === undefined || /^header | count /.test(name)) continue;
    const contended = kind === StepKind.AtomicCmpxchg && !changes(step);
    if (/ \w*lock$/i.test(name) && !contended) continue;
    const word = address >>> 2;
    const list = byWord.get(word);
    if (list) list.push(i);
    else byWord.set(word, [i]);
  }
  return byWord.values();
}

/** A row to be, with what it is when it comes again. */
interface Item extends Row {
  again: string;
}

function rowsOf(story: Story, shown: (i: number) => boolean): Row[] {
  const { steps, spans } = story;
  const starts = edges(spans, ({ begin }) => begin);
  const ends = edges(spans, ({ end }) => end);
  const rows: Row[] = [];
  let items: Item[] = [];
  let from = 0;
  const fold = (upTo: number) => {
    if (upTo - from === 1) items.push(full(story, steps[from]));
    else if (upTo > from) items.push(folded(story, steps.slice(from, upTo)));
    from = upTo;
  };
  const flush = () => {
    rows.push(...withoutRepeats(items));
    items = [];
  };
  for (let i = 0; i <= steps.length; i++) {
    const edge = starts.has(i) || ends.has(i);
    const switched = i > 0 && i < steps.length && steps[i].lane !== steps[i - 1].lane;
    if (edge || switched || i === steps.length) {
      fold(i);
      flush();
      for (const { lane, result } of ends.get(i) ?? []) rows.push({ lane, text: `} = ${result}` });
      for (const { lane, text } of starts.get(i) ?? []) rows.push({ lane, text: `${text} {` });
    }
    if (i === steps.length) break;
    if (steps[i].kind === Mark.Begin && !steps[i].lane.actor) from = i + 1;
    else if (shown(i)) {
      fold(i);
      items.push(full(story, steps[i]));
      from = i + 1;
    }
  }
  return rows;
}

function full(story: Story, step: Step): Item {
  const place = placeOf(story, step);
  const text = place === "" ? wordsOf(story, step) : `${place.padEnd(PLACE)} ${wordsOf(story, step)}`;
  return { lane: step.lane, text: indented(step.lane, text), again: `${step.kind} ${step.site}` };
}

function folded(story: Story, steps: readonly Step[]): Item {
  const places = steps.map((step) => placeOf(story, step)).filter((place) => place !== "");
  const [first, last] = [places[0], places.at(-1)];
  const where = first === undefined ? "" : first === last ? `at ${first}` : `from ${first} to ${last}`;
  const { lane } = steps[0];
  return { lane, text: indented(lane, `… ${steps.length} steps ${where}`), again: `${steps.length} ${where}` };
}

function indented({ actor }: Lane, text: string): string {
  return actor ? `  < ${text} >` : `  ${text}`;
}

/** Where a person would look: not in a helper that is called from everywhere, but where it was called. */
function placeOf({ helpers }: Story, { places }: Step): string {
  const place = places.find((each) => !helpers.has(each.function)) ?? places[0];
  return place ? `${place.file}:${place.line}` : "";
}

/** What the step did: the word, and what was read (➜) or written (=). */
function wordsOf({ names }: Story, step: Step): string {
  const { kind, name, width, before, after, entry } = step;
  const value = (v: bigint | undefined) => (v === undefined ? "?" : entry ? names.entry(v) : number(v, width));
  if (kind === Mark.Begin) return "interrupt";
  if (isMark(kind)) return `${markName(kind)} ${name}`.trim();
  const what = `${kind === StepKind.AtomicRmw ? step.instruction.replace("rmw.", "") : WORDS[kind]} ${name}`;
  if (kind === StepKind.Load || kind === StepKind.AtomicLoad) return `${what} ➜ ${value(before)}`;
  if (kind === StepKind.Store || kind === StepKind.AtomicStore) return `${what} = ${value(after)}`;
  if (kind === StepKind.AtomicRmw) return `${what} ➜ ${value(before)} = ${value(after)}`;
  if (kind === StepKind.AtomicCmpxchg)
    return `${what} ➜ ${value(before)}${changes(step) ? ` = ${value(after)}` : ", unchanged"}`;
  if (kind === StepKind.Fence) return "fence";
  return kind === StepKind.Notify ? what : `${what}, ${width} bytes`;
}

/** As the core calls it: irqOn, rcuEnter, pause. */
function markName(kind: number): string {
  const name = kindName(kind);
  return name[0].toLowerCase() + name.slice(1);
}

/** A plain access is marked: it must be ordered by something else. */
const WORDS: Record<number, string> = {
  [StepKind.Load]: "plain load",
  [StepKind.Store]: "plain store",
  [StepKind.AtomicLoad]: "load",
  [StepKind.AtomicStore]: "store",
  [StepKind.AtomicCmpxchg]: "cas",
  [StepKind.Fill]: "fill",
  [StepKind.CopyFrom]: "copy from",
  [StepKind.CopyTo]: "copy to",
  [StepKind.Wait]: "wait",
  [StepKind.Notify]: "notify",
};

function number(value: bigint, width: number): string {
  if (value === (1n << BigInt(8 * width)) - 1n) return "-1";
  return value < 10n ? value.toString() : `0x${value.toString(16)}`;
}

const LONGEST_LOOP = 12;

/** A sequence of rows that comes three times or more in a row, once, and how often. */
function withoutRepeats(items: readonly Item[]): Row[] {
  const rows: Row[] = [];
  for (let i = 0; i < items.length; ) {
    const { period, times } = repeatAt(items, i);
    rows.push(...items.slice(i, i + period));
    if (times > 1) {
      const { lane } = items[i];
      rows.push({
        lane,
        text: indented(lane, `${times - 1} × more ${period === 1 ? "of this" : `of these ${period}`}`),
      });
    }
    i += period * times;
  }
  return rows;
}

function repeatAt(items: readonly Item[], at: number): { period: number; times: number } {
  for (let period = 1; period <= LONGEST_LOOP && at + 3 * period <= items.length; period++) {
    let upTo = at + period;
    while (upTo < items.length && items[upTo].again === items[upTo - period].again) upTo++;
    const times = Math.floor((upTo - at) / period);
    if (times >= 3) return { period, times };
  }
  return { period: 1, times: 1 };
}
