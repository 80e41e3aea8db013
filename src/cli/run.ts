/**
 * `faultline run`: one riscv64 Linux program in a machine of its own.
 *
 * Promise   stdin, stdout, stderr and the exit status are the guest's (128 + n for a fatal signal). What Faultline itself
 *           has to say is one line on stderr and status 125. `--stats` goes to stderr after the guest's last byte.
 * Signals   SIGINT is the guest's; a second within a second ends Faultline (130). SIGTERM, SIGHUP, SIGQUIT, SIGUSR1,
 *           SIGUSR2, SIGWINCH and SIGCONT are passed on.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism, constants } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { Layout, Policy, Tables } from "../core/abi/mman.js";
import { Machine, MachineError, type Outcome } from "../run/machine.js";
import { nodePlatform } from "../run/node/adapter.js";
import { nodeFiles } from "../run/node/binds.js";
import { INTERRUPTED } from "./options.js";
import { statsReport } from "./stats.js";
import { coloursFor } from "./terminal.js";
import { traceText } from "./traceFile.js";

const POLICIES: Readonly<Record<string, Policy>> = {
  "mmap-lock": Policy.MmapLock,
  spf: Policy.Spf,
  "vma-lock": Policy.VmaLock,
  "vma-refcount": Policy.VmaRefcount,
  optimistic: Policy.Optimistic,
};
const PROTECTIONS: Readonly<Record<string, Tables>> = { rcu: Tables.Rcu, irq: Tables.Irq };
const LAYOUTS: Readonly<Record<string, Layout>> = {
  page: Layout.Page,
  halves: Layout.Halves,
  fragments: Layout.Fragments,
};

/** What the guest finds in its environment before `--env`. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/",
};
/** Faultline's own failure. */
const BROKEN = 125;
const UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
/** A 32-bit WebAssembly.Memory has at most 65,536 pages of 64 KiB. */
const MEMORY_MAX = 2 ** 32;
const MEMORY_MIN = 2 ** 20;
const CPUS_MAX = 256;

interface Options {
  fault: string;
  tables: string;
  tableLayout: string;
  cpus: number;
  memory: number;
  root?: string;
  dir?: string[];
  env?: string[];
  stats?: boolean;
  statsJson?: string;
  trace?: string;
}

export function registerRun(program: Command): void {
  program
    .command("run")
    .description("run a static riscv64 Linux program")
    .usage("[options] [--] PROGRAM [ARG...]")
    .argument("<program>", "a path on this host; with --root, a path inside DIR")
    .argument("[args...]", "the program's own arguments, dashes included")
    .passThroughOptions()
    .addOption(choice("--fault <policy>", "how faults are synchronised with map changes", POLICIES, "optimistic"))
    .addOption(choice("--tables <protection>", "what keeps page tables alive under a walker", PROTECTIONS, "rcu"))
    .addOption(choice("--table-layout <layout>", "how many page tables share a block", LAYOUTS, "page"))
    .option("--cpus <n>", "CPUs the guest is told of", cpuCount, Math.min(availableParallelism(), CPUS_MAX))
    .addOption(
      new Option("--memory <size>", "physical memory: bytes, or with K, M or G")
        .argParser(memorySize)
        .default(memorySize("1G"), "1G"),
    )
    .option("--root <dir>", "a host directory as the guest's /")
    .option("--dir <host[:guest[:ro]]>", "give a host directory to the guest; may be repeated", gather)
    .option("--env <k=v>", "set a variable in the guest's environment; may be repeated", variable)
    .option("--stats", "when the guest has ended, say on stderr what its memory did")
    .option("--stats-json <file>", "write the same as JSON")
    .option("--trace <file>", "write faults, memory calls, shootdowns as a Chrome trace (Perfetto opens it)")
    .action(async (name: string, args: string[], options: Options) => {
      process.exitCode = await run(name, args, options);
    });
}

async function run(name: string, args: readonly string[], options: Options): Promise<number> {
  if (options.trace !== undefined) writeOut("--trace", options.trace, "");
  const machine = makeMachine(name, args, options);
  const stop = passSignals(machine);
  let outcome: Outcome;
  try {
    outcome = await machine.run(name, args, environment(options.env ?? []));
  } catch (error) {
    if (!(error instanceof MachineError) || error.state.length === 0) throw error;
    process.stderr.write(`faultline: ${error.message}\n${error.state.map((line) => `  ${line}\n`).join("")}`);
    return BROKEN;
  } finally {
    stop();
  }
  if (outcome.line !== undefined) process.stderr.write(`faultline: ${outcome.line}\n`);
  if (options.stats) process.stderr.write(statsReport(outcome.stats, coloursFor(process.stderr)));
  if (options.statsJson !== undefined) writeStats(options.statsJson, outcome);
  if (options.trace !== undefined) writeTrace(options.trace, name, options, outcome);
  return outcome.status;
}

function makeMachine(name: string, args: readonly string[], options: Options): Machine {
  const { root, dir: dirs = [], cpus, memory: memoryBytes } = options;
  const files = nodeFiles({ root, dirs, argv: [name, ...args], cpus, memoryBytes });
  const platform = nodePlatform(new URL("./", import.meta.url));
  return new Machine(platform, files, {
    policy: POLICIES[options.fault] as Policy,
    tables: PROTECTIONS[options.tables] as Tables,
    layout: LAYOUTS[options.tableLayout] as Layout,
    memoryBytes,
    cpus,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    verify: process.env.FAULTLINE_VERIFY === "1",
    trace: options.trace !== undefined,
    say: (line) => process.stderr.write(`faultline: ${line}\n`),
  });
}

/** The host's signals become the guest's; the returned function ends that. */
function passSignals(machine: Machine): () => void {
  const onInterrupt = () => {
    if (machine.interrupt()) process.exit(INTERRUPTED);
  };
  const passed = (["SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2", "SIGWINCH", "SIGCONT"] as const).map(
    (name) => [name, () => machine.signal(constants.signals[name])] as const,
  );
  process.on("SIGINT", onInterrupt);
  for (const [name, listener] of passed) process.on(name, listener);
  return () => {
    process.off("SIGINT", onInterrupt);
    for (const [name, listener] of passed) process.off(name, listener);
  };
}

function environment(given: readonly string[]): string[] {
  const all = new Map(Object.entries({ ...ENVIRONMENT, TERM: process.env.TERM ?? "dumb" }));
  for (const entry of given) {
    const at = entry.indexOf("=");
    all.set(entry.slice(0, at), entry.slice(at + 1));
  }
  return [...all].map(([key, value]) => `${key}=${value}`);
}

function writeStats(file: string, { stats }: Outcome): void {
  writeOut("--stats-json", file, `${JSON.stringify(stats, null, 2)}\n`);
}

function writeTrace(file: string, program: string, options: Options, { trace = [] }: Outcome): void {
  const { fault, tables, tableLayout: layout } = options;
  writeOut("--trace", file, traceText(trace, { program, fault, tables, layout }));
}

function writeOut(option: string, file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new MachineError(`${option} ${file}: ${(error as Error).message}`);
  }
}

function choice(flags: string, text: string, names: Readonly<Record<string, number>>, preset: string): Option {
  return new Option(flags, text).choices(Object.keys(names)).default(preset);
}

function cpuCount(text: string): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || n < 1 || n > CPUS_MAX) throw new InvalidArgumentError(`1 to ${CPUS_MAX} are possible`);
  return n;
}

function memorySize(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+)([KMG]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toUpperCase()] ?? 1);
  if (digits === "" || bytes < MEMORY_MIN || bytes > MEMORY_MAX) {
    throw new InvalidArgumentError("1M to 4G are possible, with K, M or G after the number");
  }
  return bytes;
}

function gather(text: string, before: string[] = []): string[] {
  return [...before, text];
}

function variable(text: string, before: string[] = []): string[] {
  if (!/^[^=]+=/.test(text)) throw new InvalidArgumentError("K=V is expected");
  return [...before, text];
}
