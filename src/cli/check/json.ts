/** cli/check/json.ts: what `check --json` writes; docs/check-json.md is its description, and names stay as they are there. */
import packageJson from "../../../package.json" with { type: "json" };
import type { Told } from "./job.js";
import type { Row } from "./table.js";

export interface Reported extends Row {
  readonly told?: Told | undefined;
}

export type Status = "clean" | "violation" | "survived" | "interrupted";

export function checkJson(status: Status, build: string, rows: readonly Reported[]): string {
  const results = rows.map(resultOf);
  return `${JSON.stringify({ version: packageJson.version, build, status, results }, null, 2)}\n`;
}

function resultOf({ subject, verdict, kept, twin, told }: Reported): object {
  const { scenario, fault, pretouch = "none", tables, layout } = subject;
  const { reach, claim, executions, events, switches, blocked, ms, failure, resume } = verdict;
  return {
    ...(twin && { twin: twin.name, expected: twin.caughtBy }),
    ...{ scenario, fault, pretouch, tables, layout, reach, claim, kept },
    ...{ executions, events, switches, blocked, ms: Math.round(ms) },
    ...(failure === undefined && resume !== undefined && { resume }),
    ...(failure && { failure: { rule: failure.rule, text: failure.text, schedule: told?.schedule, told: told?.text } }),
  };
}
