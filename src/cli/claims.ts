/**
 * `faultline claims`: every claim of the argument of April 2021, put to the engines again, with its verdict.
 *
 *   names ─▶ claims ─asks─▶ check, predict, lines, run (claims/session.ts) ─answers─▶ judge() ─▶ text, JSON
 *
 * Promise   0 when it ran, whatever the verdicts; 2 for a name that does not exist; 130 when interrupted, with what there is. At
 *           most ten minutes, with --quick one: what is not answered by then is said to be not finished.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { buildHash } from "../check/schedule.js";
import { type Claim, Unanswered } from "../claims/claim.js";
import { CLAIMS } from "../claims/index.js";
import { claimsJson, claimsText, type Settled } from "./claims/report.js";
import { Session } from "./claims/session.js";
import { unknownName } from "./nearest.js";
import { INTERRUPTED, unwritable, WORKERS_MAX, whole } from "./options.js";
import { coloursFor, Progress } from "./terminal.js";

const DIST = new URL("./", import.meta.url);
const ROOT = fileURLToPath(new URL("../../", DIST));
/** What starting and stopping take is kept back of ten minutes, and of one. */
const FULL_MS = 570_000;
const QUICK_MS = 54_000;

interface Options {
  quick?: boolean;
  fresh?: boolean;
  json?: string;
  jobs: number;
}

export function registerClaims(program: Command): void {
  program
    .command("claims")
    .description("the claims of the argument that this project answers, each re-run, with its verdict")
    .argument("[claims...]", "C1 to C10; all when none is named")
    .option("--quick", "in one minute, with smaller bounds")
    .option("--fresh", "answer again what is known from an earlier run of this build")
    .option("--jobs <n>", "worker threads", whole(1, WORKERS_MAX), Math.min(availableParallelism(), WORKERS_MAX))
    .option("--json <file>", "write claims, figures and verdicts as JSON")
    .action(async (chosen: string[], options: Options, command: Command) => {
      const known = CLAIMS.map(({ name }) => name);
      const names = chosen.map((name) => name.toUpperCase());
      const wrong = names.findIndex((name) => !known.includes(name));
      const error = wrong >= 0 ? unknownName("claim", chosen[wrong], known) : unwritable(options.json);
      if (error !== undefined) command.error(`error: ${error}`, { exitCode: 2 });
      process.exitCode = await claims(
        CLAIMS.filter(({ name }) => names.length === 0 || names.includes(name)),
        options,
      );
    });
}

async function claims(
  chosen: readonly Claim[],
  { quick = false, fresh = false, json, jobs }: Options,
): Promise<number> {
  const progress = new Progress(process.stderr, 2000);
  const session = new Session({
    root: ROOT,
    dist: DIST,
    workers: jobs,
    milliseconds: quick ? QUICK_MS : FULL_MS,
    fresh,
    progress: (text) => progress.update(`claims: ${text}`),
  });
  const listen = () => {
    if (session.interrupted) process.exit(INTERRUPTED);
    session.stop();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, listen);
  try {
    await session.ask(chosen.flatMap((claim) => claim.asks(quick)));
  } finally {
    for (const signal of signals) process.off(signal, listen);
    progress.done();
  }
  const settled = chosen.map((claim) => settle(claim, session, quick));
  process.stdout.write(claimsText(settled, quick, coloursFor(process.stdout)));
  if (json !== undefined) {
    const hash = await buildHash(readFileSync(join(ROOT, "build/hooked.wasm")) as Buffer<ArrayBuffer>);
    writeFileSync(json, claimsJson(settled, quick, hash, session.interrupted));
  }
  return session.interrupted ? INTERRUPTED : 0;
}

export function settle(claim: Claim, session: Session, quick: boolean): Settled {
  const asks = claim.asks(quick);
  return {
    claim,
    ...judged(claim, session, quick),
    asked: asks.length,
    answered: asks.filter((ask) => session.isAnswered(ask)).length,
    kept: asks.filter((ask) => session.isKept(ask)).length,
  };
}

function judged(claim: Claim, session: Session, quick: boolean): Pick<Settled, "judgement" | "missing"> {
  try {
    return { judgement: claim.judge(session, quick) };
  } catch (error) {
    if (error instanceof Unanswered) return { missing: error.message };
    throw error;
  }
}
