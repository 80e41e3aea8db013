/**
 * `faultline storm` (`npm start`): the bundled fault storm under each policy and protection, as one table.
 *
 * How       each run is a child `faultline run --stats-json` of guest/bin/storm, so a run that breaks cannot harm the
 *           next one and each starts with a fresh memory; the last is the same C source compiled by this machine's cc
 * Promise   prints one table on stdout, also when interrupted: then of the runs that were complete, status 130;
 *           status 1 when a run failed or the guest found a wrong byte (the reason on stderr)
 */
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, InvalidArgumentError } from "commander";
import { type Ended, runChild, watchInterrupt } from "../bench/child.js";
import { parseStorm, type StormRun, type StormStats, stormTable } from "./stormTable.js";
import { coloursFor, Progress, widthOf } from "./terminal.js";

/** build/dist/main.js and src/cli/storm.ts are both two folders below the root. */
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const POLICIES = ["mmap-lock", "spf", "vma-lock", "optimistic"];
const PROTECTIONS = ["rcu", "irq"];
/** Set-up, worker start and the last round of slow threads, on top of the time asked for. */
const SLACK_MS = 60_000;

interface Options {
  threads: number[];
  seconds: number;
  mutator: string;
  pages: number;
}

interface Plan {
  name: string;
  threads: number;
  command: string[];
  statsFile?: string;
}

export function registerStorm(program: Command): void {
  program
    .command("storm")
    .description("the fault storm under each policy and protection, and native, as one table")
    .option("--threads <list>", "storm threads, one group of rows for each number", threadList, [1, 2, 4])
    .option("--seconds <s>", "how long each run lasts", seconds, 1.5)
    .option("--mutator <where>", "where another thread changes the map: near, far or none", where, "near")
    .option("--pages <n>", "pages a thread touches in one round", pageCount, 2048)
    .action(async (options: Options) => {
      process.exitCode = await storm(options);
    });
}

async function storm(options: Options): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "faultline-storm-"));
  const progress = new Progress(process.stderr, 0);
  const interrupt = watchInterrupt();
  const runs: StormRun[] = [];
  let failed = false;
  try {
    const plans = planRuns(options, folder);
    const native = await nativePlan(options, interrupt.adopt);
    if (typeof native === "string") process.stderr.write(`storm: no native row: ${native}\n`);
    else plans.push(native);
    for (const [i, plan] of plans.entries()) {
      if (interrupt.happened()) break;
      progress.update(
        `storm: run ${i + 1} of ${plans.length}: ${plan.name}, ${plan.threads} threads, ${options.seconds} s`,
      );
      const ended = await runChild(plan.command, options.seconds * 1000 + SLACK_MS, interrupt.adopt);
      if (interrupt.happened()) break;
      const run = judge(plan, ended);
      runs.push(run);
      if (run.rate === undefined) {
        failed = true;
        progress.done();
        process.stderr.write(`storm: ${plan.name} with ${plan.threads} threads failed: ${ended.complaint}\n`);
      }
    }
  } finally {
    progress.done();
    interrupt.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  if (runs.length) process.stdout.write(`${stormTable(runs, coloursFor(process.stdout), widthOf(process.stdout))}\n`);
  if (!interrupt.happened()) return failed ? 1 : 0;
  process.stderr.write(`storm: interrupted after ${runs.length} complete runs\n`);
  return 130;
}

function guestArgs(options: Options, threads: number): string[] {
  const { seconds, mutator, pages } = options;
  return ["-t", `${threads}`, "-s", `${seconds}`, "-m", mutator, "-p", `${pages}`];
}

function planRuns(options: Options, folder: string): Plan[] {
  const launcher = [process.execPath, join(ROOT, "tools/launch.mjs")];
  const program = join(ROOT, "guest/bin/storm");
  return options.threads.flatMap((threads) =>
    PROTECTIONS.flatMap((tables) =>
      POLICIES.map((policy) => {
        const statsFile = join(folder, `${policy}-${tables}-${threads}.json`);
        const ours = ["run", "--fault", policy, "--tables", tables, "--stats-json", statsFile];
        const command = [...launcher, ...ours, "--", program, ...guestArgs(options, threads)];
        return { name: `${policy} / ${tables}`, threads, statsFile, command };
      }),
    ),
  );
}

/** The native run at the largest thread count, or why there is none. */
async function nativePlan(options: Options, adopt: (child: ChildProcess) => void): Promise<Plan | string> {
  if (process.platform !== "linux" || process.arch !== "x64") return "its start-up code is for x86-64 Linux";
  const folder = join(ROOT, "build/native");
  const built = await runChild([process.execPath, join(ROOT, "guest/build.mjs"), "--native", folder], SLACK_MS, adopt);
  if (built.status !== 0) return built.complaint;
  const threads = Math.max(...options.threads);
  return { name: "native", threads, command: [join(folder, "storm"), ...guestArgs(options, threads)] };
}

function judge(plan: Plan, ended: Ended): StormRun {
  const { name, threads, statsFile } = plan;
  const total = ended.status === 0 ? parseStorm(ended.output) : undefined;
  if (!total) return { name, threads };
  const stats =
    statsFile && existsSync(statsFile) ? (JSON.parse(readFileSync(statsFile, "utf8")) as StormStats) : undefined;
  return { name, threads, rate: total.rate, stats };
}

function seconds(text: string): number {
  const n = Math.round(Number(text) * 10) / 10;
  if (!(n >= 0.1 && n <= 600)) throw new InvalidArgumentError("seconds from 0.1 to 600 are wanted");
  return n;
}

function pageCount(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1 || n > 1 << 20)
    throw new InvalidArgumentError("pages from 1 to 1048576 are wanted");
  return n;
}

function threadList(text: string): number[] {
  const counts = text.split(",").map(Number);
  if (counts.some((n) => !Number.isInteger(n) || n < 1 || n > 250)) {
    throw new InvalidArgumentError("thread counts from 1 to 250 are wanted, with commas between");
  }
  return counts;
}

function where(text: string): string {
  if (!["near", "far", "none"].includes(text)) throw new InvalidArgumentError("near, far or none is wanted");
  return text;
}
