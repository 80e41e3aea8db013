/**
 * `faultline predict`: the core on simulated machines: how does it scale to CPUs that nobody here has?
 *
 *   request (machine, workloads, CPU counts, policies …) ─▶ jobs ─▶ workers simulate ─▶ points ─▶ table, JSON
 *
 * Promise   0 when it ran; 2 for a bad option, workload or machine file, one line with the place and what is allowed. The figures
 *           depend on the request alone, not on the number of workers. Ctrl-C prints the points that are complete: 130.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type LayoutName, type Machine, ModelError } from "../predict/machine.js";
import { LAYOUTS, POLICIES, PROTECTIONS } from "../predict/run.js";
import { WORKLOADS } from "../predict/workloads/index.js";
import { unknownName } from "./nearest.js";
import { INTERRUPTED, names, PRETOUCHES, WORKERS_MAX, whole } from "./options.js";
import { calibrate } from "./predict/calibrate.js";
import { htmlReport } from "./predict/html.js";
import { type Job, REPLAY, type Replay } from "./predict/job.js";
import { loadMachine, machineNames } from "./predict/machines.js";
import { plotSvg } from "./predict/plot.js";
import { jobsOf, type Point, pointsOf, type Request } from "./predict/points.js";
import { Pool, type Running } from "./predict/pool.js";
import { aboutPlan, loadPlan, replayCpus } from "./predict/replay.js";
import { footprintTable, pointTable, replayTable, spentTable } from "./predict/table.js";
import { loadPublished, validate, validationJobs, validationTable, verdictLines } from "./predict/validate.js";
import { coloursFor, Progress } from "./terminal.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DEFAULT_MACHINE = "skylake-112";
const DEFAULT_POLICIES = ["mmap-lock", "spf", "vma-lock", "optimistic"];

interface Options {
  list?: boolean;
  machine: string;
  cpus?: number[];
  fault: string[];
  tables: string[];
  tableLayout?: LayoutName[];
  seeds?: number;
  operations?: number;
  jobs: number;
  replay?: string;
  compute?: number;
  pretouch: string[];
  validate?: boolean;
  calibrate?: boolean;
  json?: string;
  plot?: string;
  html?: string;
}

export function registerPredict(program: Command): void {
  program
    .command("predict")
    .description("simulate the core on machines with many CPUs: how does it scale?")
    .argument("[workloads...]", "what the threads do (--list); pft when none is named")
    .option("--list", "name every workload and every machine")
    .option("--machine <m>", "a machine of src/predict/machines, or the path of such a file", DEFAULT_MACHINE)
    .option("--cpus <list>", "numbers of threads, with commas (1, 2, 4 … all of the machine)", counts)
    .option(
      "--fault <policies>",
      "how faults are synchronised, with commas",
      names("policy", POLICIES),
      DEFAULT_POLICIES,
    )
    .option("--tables <protections>", "what keeps page tables alive", names("protection", PROTECTIONS), ["rcu"])
    .option("--table-layout <layouts>", "how tables share blocks (as the machine's)", names("layout", LAYOUTS))
    .addOption(
      new Option("--pretouch [kinds]", "touch the entry before a table's lock is taken: none, read, own, with commas")
        .preset("own")
        .argParser(names("pretouch", PRETOUCHES))
        .default(["none"]),
    )
    .option("--seeds <n>", "runs of each point (3; 1 with --validate)", whole(1, 1000))
    .option("--operations <n>", "operations of each thread in a run (700; 250)", whole(20, 100_000))
    .option("--jobs <n>", "worker threads", whole(1, WORKERS_MAX), Math.min(availableParallelism(), WORKERS_MAX))
    .option("--replay <file>", "instead of a workload: a program as `run --trace` recorded it")
    .option("--compute <factor>", "with --replay: how much of the program's own time counts (1)", factor)
    .option("--validate", "hold the model against every published table, row by row")
    .option("--calibrate", "measure this machine: --machine this")
    .option("--json <file>", "write the points as JSON")
    .option("--plot <file>", "write an SVG: rates against CPUs, published points beside them")
    .option("--html <file>", "write one self-contained page: plots, tables, constants and their sources")
    .action(async (chosen: string[], options: Options, command: Command) => {
      try {
        process.stdout.on("error", () => process.exit(0));
        process.exitCode = options.list ? list() : await action(chosen, options);
      } catch (error) {
        if (error instanceof ModelError) command.error(`error: ${error.message}`, { exitCode: 2 });
        throw error;
      }
    });
}

async function action(chosen: readonly string[], options: Options): Promise<number> {
  if (options.validate) return validation(options);
  if (!options.calibrate) return predict(chosen, options);
  process.stdout.write(await calibrate(ROOT, new URL("./calibrateworker.js", import.meta.url)));
  return 0;
}

async function predict(chosen: readonly string[], options: Options): Promise<number> {
  const machine = loadMachine(ROOT, options.machine);
  const replay = replayFor(chosen, options);
  const jobs = jobsOf(replay ? replayRequest(replay, options, machine) : requestOf(chosen, options, machine));
  const { outcomes, stopped } = await runAll(jobs, options, replay);
  const points = pointsOf(jobs, outcomes).map((point) =>
    replay ? { ...point, workload: replay.plan.program } : point,
  );
  print(machine, points, replay);
  const recording = replay && { ...replay.plan, streams: replay.plan.streams.length, compute: replay.compute };
  writeJson(options, { machine, ...(recording && { recording }), points });
  await draw(options, machine, points);
  return stopped ? INTERRUPTED : 0;
}

function replayFor(chosen: readonly string[], { replay, compute, operations }: Options): Replay | undefined {
  if (replay === undefined) {
    if (compute !== undefined) throw new ModelError("--compute: only with --replay");
    return undefined;
  }
  if (chosen.length > 0) throw new ModelError(`--replay is instead of a workload: ${chosen.join(", ")}`);
  if (operations !== undefined) throw new ModelError("--operations: a replay makes those that were recorded");
  return { plan: loadPlan(replay), compute: compute ?? 1 };
}

function replayRequest({ plan }: Replay, options: Options, machine: Machine): Request {
  return {
    ...requestOf([], { ...options, operations: Math.ceil(plan.faults / plan.streams.length) }, machine),
    workloads: [REPLAY],
    cpus: replayCpus(plan, machine, options.cpus),
  };
}

async function validation(options: Options): Promise<number> {
  const tables = loadPublished(ROOT);
  const jobs = validationJobs(ROOT, tables, options.seeds ?? 1, options.operations ?? 250);
  const { outcomes, stopped } = await runAll(jobs, options);
  const validated = validate(tables, jobs, outcomes);
  process.stdout.write(`${validationTable(validated, coloursFor(process.stdout))}\n\n${verdictLines(validated)}`);
  writeJson(options, validated);
  return stopped ? INTERRUPTED : 0;
}

async function draw({ plot, html }: Options, machine: Machine, points: readonly Point[]): Promise<void> {
  if (points.length === 0) return;
  const published = loadPublished(ROOT);
  const first = points.filter(({ workload }) => workload === points[0].workload);
  if (plot !== undefined) writeFileSync(plot, await plotSvg(first, published));
  const command = `faultline ${process.argv.slice(2).join(" ")}`;
  if (html !== undefined) writeFileSync(html, await htmlReport(machine, points, published, command));
}

function writeJson({ json }: Options, data: object): void {
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(data, undefined, 2)}\n`);
}

/** Until all are done, or Ctrl-C. */
async function runAll(jobs: readonly Job[], options: Options, replay?: Replay): Promise<Running> {
  const progress = new Progress(process.stderr, 2000);
  const pool = new Pool(ROOT, new URL("./predictworker.js", import.meta.url), options.jobs, replay);
  const interrupted = () => pool.stop();
  process.once("SIGINT", interrupted);
  const running = await pool.run(jobs, (done) => progress.update(`${done} of ${jobs.length} runs`));
  process.off("SIGINT", interrupted);
  progress.done();
  return running;
}

function print(machine: Machine, points: readonly Point[], replay: Replay | undefined): void {
  const colours = coloursFor(process.stdout);
  process.stdout.write(`${machine.name}: ${machine.about}\n`);
  if (replay) process.stdout.write(aboutPlan(replay.plan, replay.compute));
  const first = replay
    ? replayTable(points, replay.plan.streams.length, replay.plan.faults, colours)
    : pointTable(points, colours);
  process.stdout.write(`${first}\n\n${spentTable(points, colours)}\n\n${footprintTable(points, colours)}\n`);
}

function requestOf(chosen: readonly string[], options: Options, machine: Machine): Request {
  const known = WORKLOADS.map(({ name }) => name);
  const wrong = chosen.find((name) => !known.includes(name));
  if (wrong !== undefined) throw new ModelError(unknownName("workload", wrong, known));
  const cpus = options.cpus ?? doubling(machine.cpus);
  const tooMany = cpus.find((n) => n > machine.cpus);
  if (tooMany !== undefined) throw new ModelError(`--cpus ${tooMany}: ${machine.name} has ${machine.cpus}`);
  return {
    machine,
    workloads: chosen.length > 0 ? chosen : ["pft"],
    policies: options.fault,
    pretouches: options.pretouch,
    tables: options.tables,
    layouts: options.tableLayout ?? [machine.layout],
    cpus,
    seeds: options.seeds ?? 3,
    operations: options.operations ?? 700,
  };
}

function doubling(most: number): number[] {
  const all: number[] = [];
  for (let n = 1; n < most; n *= 2) all.push(n);
  return [...all, most];
}

function list(): number {
  const width = Math.max(...WORKLOADS.map(({ name }) => name.length));
  for (const { name, about } of WORKLOADS) process.stdout.write(`${name.padEnd(width)}  ${about}\n`);
  for (const name of machineNames(ROOT)) process.stdout.write(`${name}: ${loadMachine(ROOT, name).about}\n`);
  return 0;
}

function factor(text: string): number {
  const n = Number(text);
  if (!/^\d*\.?\d+$/.test(text)) throw new InvalidArgumentError("a number from 0 is possible");
  return n;
}

function counts(text: string): number[] {
  return [...new Set(text.split(",").map(whole(1, 1024)))].sort((a, b) => a - b);
}
