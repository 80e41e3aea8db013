/**
 * cli/check/table.ts: what `faultline check` prints: a row for each scenario and setting, then what was covered, in words.
 *
 * Promise   a row says "complete" only when nothing was left out; "kept" when the verdict is an earlier run's.
 */
import Table from "cli-table3";
import type { Twin } from "../../check/twins/index.js";
import { shortNumber } from "../stormTable.js";
import type { coloursFor } from "../terminal.js";
import type { Found } from "./job.js";
import { type Subject, textOf } from "./setting.js";

type Colours = ReturnType<typeof coloursFor>;

export interface Row {
  readonly subject: Subject;
  readonly verdict: Found;
  /** From an earlier run. */
  readonly kept: boolean;
  readonly twin?: Twin | undefined;
}

const TITLES = ["scenario", "fault / tables / layout", "verdict", "executions", "events", "switches", "ms"];

export function verdictTable(rows: readonly Row[], colours: Colours): string {
  const drawn = rows.map(({ subject, verdict, kept }) => {
    const found = verdict.failure && `violation: ${verdict.failure.rule}`;
    const text = found ?? (kept ? `${verdict.reach}, kept` : verdict.reach);
    return [subject.scenario, textOf(subject), paint(text, verdict, colours), ...figures(verdict)];
  });
  return draw(TITLES, 3, drawn, colours);
}

/** "found" is what a twin is for. */
export function twinTable(rows: readonly Row[], colours: Colours): string {
  const drawn = rows.map(({ subject, verdict, twin }) => {
    const { failure, reach } = verdict;
    const expected = !failure || twin!.caughtBy.includes(failure.rule);
    const text = failure
      ? colours.green(`found: ${failure.rule}${expected ? "" : `, not ${twin!.caughtBy.join(", ")}`}`)
      : (reach === "interrupted" ? colours.yellow : colours.red)(
          reach === "interrupted" ? "not found yet" : "SURVIVED",
        );
    return [subject.twin!, subject.scenario, textOf(subject), text, ...figures(verdict)];
  });
  return draw(["twin", ...TITLES], 4, drawn, colours);
}

/** Each claim once, and for what it holds. */
export function coverage(rows: readonly Row[]): string {
  const clean = rows.filter(({ verdict }) => !verdict.failure);
  const several = new Set(clean.map(({ subject }) => textOf(subject))).size > 1;
  const groups = new Map<string, string[]>();
  for (const { subject, verdict } of clean) {
    const claim = `${verdict.reach}: ${verdict.claim}`;
    const name = subject.twin ?? (several ? `${subject.scenario} (${textOf(subject)})` : subject.scenario);
    groups.set(claim, [...(groups.get(claim) ?? []), name]);
  }
  return [...groups].map(([claim, names]) => `${claim}\n    ${names.join(", ")}`).join("\n");
}

function figures({ executions, events, switches, ms }: Found): string[] {
  return [shortNumber(executions), shortNumber(events), shortNumber(switches), `${Math.round(ms)}`];
}

function paint(text: string, { failure, reach }: Found, colours: Colours): string {
  if (failure) return colours.red(text);
  if (reach === "complete") return colours.green(text);
  return reach === "interrupted" ? colours.yellow(text) : text;
}

/** The first `texts` columns are names, all others figures. */
function draw(titles: readonly string[], texts: number, rows: readonly string[][], colours: Colours): string {
  const table = new Table({
    head: titles.map((title) => colours.bold(title)),
    colAligns: titles.map((_, i) => (i < texts ? "left" : "right")),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push(row);
  return table.toString();
}
