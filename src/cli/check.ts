/**
 * `faultline check`: explore the interleavings of the core that ships, and say what was covered.
 *
 *   options ─request─▶ jobs ─┬─ kept verdicts (store) ──────────────┬─▶ table, what was covered, the first violation told
 *                            └─ workers (pool): explore, tell ──────┘
 *
 * Promise   0: nothing found in what was explored, and what that was; 1: a violation, shown as one column an actor (with
 *           --twins: one survived); 2: usage. Ctrl-C prints what was covered, and how to go on: 130. What is printed does
 *           not depend on how many workers there were, but for an exhaustive search that several share (check/split.ts).
 */
import { availableParallelism } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { StrategyName } from "../check/explore.js";
import { SCENARIOS } from "../check/scenarios/index.js";
import { TWINS } from "../check/twins/index.js";
import { jobsFor, type Options, STRATEGIES, UsageError } from "./check/request.js";
import { Session } from "./check/session.js";
import { LAYOUTS, POLICIES, PROTECTIONS } from "./check/setting.js";
import { unknownName } from "./nearest.js";
import { names, PRETOUCHES, unwritable, WORKERS_MAX, whole } from "./options.js";

export function registerCheck(program: Command): void {
  program
    .command("check")
    .description("explore the interleavings of the core: can it go wrong?")
    .argument("[scenarios...]", "what to explore (--list); all when none is named; with --twins also names of twins")
    .option("--list", "name every scenario, or with --twins every twin, and what it is about")
    .option(
      "--fault <policies>",
      "how faults are synchronised: one or more, with commas (optimistic)",
      names("policy", POLICIES),
    )
    .option(
      "--tables <protections>",
      "what keeps page tables alive under a walker (rcu)",
      names("protection", { ...PROTECTIONS, none: 0 }),
    )
    .option("--walker <kind>", "what a walker holds, with --freer: irq, rcu or none")
    .option("--freer <kind>", "how tables are freed, with --walker: ipi, rcu or now")
    .option("--table-layout <layouts>", "how many page tables share a block (page)", names("layout", LAYOUTS))
    .option(
      "--pretouch <kinds>",
      "how the entry is touched before the table's lock is taken (none)",
      names("pretouch", PRETOUCHES),
    )
    .addOption(
      new Option("--strategy <name>", `how to explore: ${Object.keys(STRATEGIES).join(", ")}`).argParser(strategy),
    )
    .option("--bound <n>", "preemptions of bounded, depth of pct", whole(0, 100))
    .option("--seed <n>", "where a sample begins", whole(0, 2 ** 31))
    .option("--executions <n>", "stop a scenario after so many", whole(1, 2 ** 40))
    .option("--seconds <s>", "stop a scenario after so long", seconds)
    .option("--twins", "explore the buggy twins instead: each must be found")
    .option("--keep-going", "do not stop at the first violation")
    .option("--replay <schedule>", "run one schedule, as a violation prints it, and show it")
    .option("--trace <file>", "write the violation, or what is replayed, as a Chrome trace (Perfetto opens it)")
    .option("--json <file>", "write the verdicts as JSON")
    .option("--fresh", "explore again what is known from an earlier run")
    .option(
      "--jobs <n>",
      "how many worker threads",
      whole(1, WORKERS_MAX),
      Math.min(availableParallelism(), WORKERS_MAX),
    )
    .action(async (chosen: string[], options: Options, command: Command) => {
      process.exitCode = options.list ? list(options) : await check(chosen, options, command);
    });
}

async function check(chosen: readonly string[], options: Options, command: Command): Promise<number> {
  const jobs = ask(command, () => {
    for (const file of [options.json, options.trace]) {
      const error = unwritable(file);
      if (error !== undefined) throw new UsageError(error);
    }
    return jobsFor(chosen, options);
  });
  const session = new Session(jobs, options, given(command));
  const error = await session.run();
  if (error) return command.error(`error: ${error.message}`, { exitCode: 2 });
  return session.report();
}

/** A usage error ends the command as commander's own do. */
function ask<T>(command: Command, question: () => T): T {
  try {
    return question();
  } catch (error) {
    if (error instanceof UsageError) command.error(`error: ${error.message}`, { exitCode: 2 });
    throw error;
  }
}

/** The options that were typed, without those that only say where to write. */
function given(command: Command): string[] {
  return command.options.flatMap((option) => {
    const name = option.attributeName();
    if (["json", "trace"].includes(name) || command.getOptionValueSource(name) !== "cli") return [];
    const value: unknown = command.getOptionValue(name);
    return value === true ? [option.long!] : [option.long!, String(value)];
  });
}

function list({ twins }: Options): number {
  const all = twins ? TWINS : SCENARIOS;
  const width = Math.max(...all.map(({ name }) => name.length));
  process.stdout.write(all.map(({ name, about }) => `${name.padEnd(width)}  ${about}\n`).join(""));
  return 0;
}

function strategy(text: string): StrategyName {
  if (!(text in STRATEGIES)) throw new InvalidArgumentError(unknownName("strategy", text, Object.keys(STRATEGIES)));
  return text as StrategyName;
}

function seconds(text: string): number {
  const n = Number(text);
  if (!(n >= 0.1 && n <= 1e6)) throw new InvalidArgumentError("seconds from 0.1 are wanted");
  return n;
}
