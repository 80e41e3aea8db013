/** cli/claims/report.ts: what `faultline claims` prints and writes; docs/claims-json.md describes the JSON. */
import packageJson from "../../../package.json" with { type: "json" };
import type { Claim, Judgement } from "../../claims/claim.js";
import type { coloursFor } from "../terminal.js";

type Colours = ReturnType<typeof coloursFor>;

export interface Settled {
  readonly claim: Claim;
  /** Absent: not all that it asks was answered. */
  readonly judgement?: Judgement | undefined;
  /** Why there is none. */
  readonly missing?: string | undefined;
  /** Questions; of these, answered at all, and by an earlier run. */
  readonly asked: number;
  readonly answered: number;
  readonly kept: number;
}

const INDENT = "    ";

export function claimsText(all: readonly Settled[], quick: boolean, colours: Colours): string {
  return `${all.map((each) => one(each, quick, colours)).join("\n\n")}\n\n${tally(all)}\n`;
}

function one({ claim, judgement, missing, asked, answered, kept }: Settled, quick: boolean, colours: Colours): string {
  const lines = [`${colours.bold(claim.name)}  ${claim.claim} (${claim.by})`, `${INDENT}tested   ${claim.tested}`];
  for (const { what, value } of judgement?.figures ?? []) lines.push(`${INDENT}         ${what}: ${value}`);
  if (judgement) {
    lines.push(`${INDENT}verdict  ${paint(judgement.verdict, colours)}: ${judgement.because}`);
    lines.push(`${INDENT}bound    ${judgement.bound}`);
  } else
    lines.push(
      `${INDENT}verdict  ${colours.yellow("not finished")}: ${answered} of ${asked} questions answered${missing ? `; ${missing}` : ""}`,
    );
  if (kept > 0)
    lines.push(
      `${INDENT}kept     ${kept === asked ? "all" : `${kept} of ${asked}`} answers are an earlier run's on this build`,
    );
  lines.push(`${INDENT}repeat   ${commandOf(claim, quick)}`);
  return lines.join("\n");
}

function paint(verdict: string, colours: Colours): string {
  if (verdict === "holds") return colours.green(verdict);
  return verdict === "does not hold" ? colours.red(verdict) : colours.yellow(verdict);
}

export function commandOf({ name }: Claim, quick: boolean): string {
  return `./faultline claims ${name}${quick ? " --quick" : ""} --fresh`;
}

/** "C1 holds, C2 depends, …" in one line. */
function tally(all: readonly Settled[]): string {
  return all.map(({ claim, judgement }) => `${claim.name} ${judgement?.verdict ?? "not finished"}`).join(", ");
}

export function claimsJson(all: readonly Settled[], quick: boolean, build: string, interrupted: boolean): string {
  const claims = all.map(({ claim, judgement, asked, answered, kept }) => ({
    name: claim.name,
    claim: claim.claim,
    by: claim.by,
    tested: claim.tested,
    verdict: judgement?.verdict ?? "not finished",
    ...(judgement && { because: judgement.because, bound: judgement.bound, figures: judgement.figures }),
    ...{ asked, answered, kept },
    repeat: commandOf(claim, quick),
  }));
  return `${JSON.stringify({ version: packageJson.version, build, quick, interrupted, claims }, null, 2)}\n`;
}
