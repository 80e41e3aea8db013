/**
 * `faultline bench`: speed, measured beside its rivals in one run.
 *
 *   fault    faults a second from the core's own entry point, beside zeroing and the native kernel
 *   storm    the guest fault storm under each policy, beside native and qemu-user
 *   memory   operations a second of each memory call and kind of fault of a guest program, beside native and qemu-user
 *   guest    instructions a second of three computations, beside native and qemu-user
 *   layout   what blocks of page tables cost
 *   check    steps, executions and context switches a second of the checker, beside spin on an equal model
 *
 * Promise   each row stands beside its rivals, from the same minutes of the same machine; the command that repeats a table is
 *           printed above it. Interrupted, it prints what it has: status 130.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { type Command, InvalidArgumentError } from "commander";
import { benchCheck } from "../bench/check.js";
import { watchInterrupt } from "../bench/child.js";
import { type Contender, native, ours, qemu } from "../bench/contender.js";
import { benchFaults, PROTECTIONS } from "../bench/fault.js";
import { benchGuest } from "../bench/guest.js";
import { benchLayout } from "../bench/layout.js";
import { benchMemory } from "../bench/memory.js";
import { benchPretouch } from "../bench/pretouch.js";
import { benchStorm } from "../bench/storm.js";
import {
  checkTable,
  faultTable,
  guestTable,
  layoutTable,
  memoryTable,
  pretouchTable,
  stormTable,
} from "./benchTables.js";
import { names as namesOf, PRETOUCHES } from "./options.js";
import { coloursFor, Progress } from "./terminal.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Each thread of the memory bench may have 64 MiB, and a child that shares it. */
const MEMORY_THREADS = 8;
const POLICIES = ["mmap-lock", "spf", "vma-lock", "optimistic"];

interface Options {
  json?: string;
  threads: number[];
  tables: string[];
  pretouch?: string[];
  samples: number;
  milliseconds?: number;
  share: number;
}

interface Surroundings {
  readonly progress: (text: string) => void;
  readonly complain: (line: string) => void;
  readonly adopt: ReturnType<typeof watchInterrupt>["adopt"];
  readonly stopped: () => boolean;
}

interface Measured {
  /** The command that repeats it. */
  readonly command: string;
  readonly rows: readonly object[];
  readonly table: string;
}

const colours = () => coloursFor(process.stdout);
const directory = () => new URL("./", import.meta.url);
const present = (contenders: readonly (Contender | undefined)[]) => contenders.filter((c) => c !== undefined);

const BENCHES: Readonly<Record<string, (options: Options, around: Surroundings) => Promise<Measured>>> = {
  async fault({ threads, tables, pretouch, samples, milliseconds = 300 }, around) {
    if (pretouch) return pretouched(pretouch, { threads, tables, samples, milliseconds, ...around });
    const storm = native(ROOT)?.command("storm", [])[0];
    const rows = await benchFaults({
      threads,
      tables,
      samples,
      milliseconds,
      directory: directory(),
      native: storm,
      ...around,
    });
    const command = `fault --threads ${threads.join(",")} --tables ${tables.join(",")} --samples ${samples}`;
    return { command, rows, table: faultTable(rows, colours()) };
  },
  async storm({ threads, samples, milliseconds = 1000 }, around) {
    const policies = POLICIES.map((policy) => ours(ROOT, policy, ["--fault", policy]));
    const contenders = [...policies, ...present([native(ROOT), qemu(ROOT)])];
    const rows = await benchStorm({ contenders, threads, samples, milliseconds, ...around });
    const command = `storm --threads ${threads.join(",")} --samples ${samples}`;
    return { command, rows, table: stormTable(rows, colours()) };
  },
  async memory({ threads, samples, milliseconds = 200 }, around) {
    const contenders = [ours(ROOT, "optimistic", []), ...present([native(ROOT), qemu(ROOT)])];
    const counts = threads.filter((n) => n <= MEMORY_THREADS);
    const rows = await benchMemory({ contenders, threads: counts, samples, milliseconds, ...around });
    const command = `memory --threads ${counts.join(",")} --samples ${samples}`;
    return { command, rows, table: memoryTable(rows, colours()) };
  },
  async guest({ samples, share }, around) {
    const rows = await benchGuest({
      root: ROOT,
      rivals: present([native(ROOT), qemu(ROOT)]),
      samples,
      share,
      ...around,
    });
    return { command: `guest --samples ${samples}`, rows, table: guestTable(rows, colours()) };
  },
  async layout({ samples, milliseconds = 200 }, around) {
    const rows = await benchLayout({ samples, milliseconds, directory: directory(), ...around });
    return { command: `layout --samples ${samples}`, rows, table: layoutTable(rows, colours()) };
  },
  async check({ samples, milliseconds = 500 }, around) {
    const measured = await benchCheck({ root: ROOT, samples, milliseconds, ...around });
    const rows = [...measured.core, ...measured.model];
    return { command: `check --samples ${samples}`, rows, table: checkTable(measured, colours()) };
  },
};

/** In the place of the table of faults. */
async function pretouched(
  kinds: readonly string[],
  options: Pick<Options, "threads" | "tables" | "samples"> & { milliseconds: number } & Surroundings,
): Promise<Measured> {
  const { threads, tables, samples } = options;
  const pretouches = kinds.map((kind) => [kind, PRETOUCHES[kind]!] as const);
  const rows = await benchPretouch({ ...options, pretouches, directory: directory() });
  const of = `--threads ${threads.join(",")} --tables ${tables.join(",")} --samples ${samples}`;
  return { command: `fault --pretouch ${kinds.join(",")} ${of}`, rows, table: pretouchTable(rows, colours()) };
}

export function registerBench(program: Command): void {
  const names = Object.keys(BENCHES);
  program
    .command("bench")
    .description("measure speed beside the native kernel and qemu")
    .argument("[names...]", `what to measure: ${names.join(", ")}; all when none is named`, known, [])
    .option("--threads <list>", "numbers of threads, with commas between", threadList, defaultThreads())
    .option("--tables <list>", "fault: protections, with commas between", protections, Object.keys(PROTECTIONS))
    .option(
      "--pretouch <kinds>",
      "fault: instead, threads that share tables, the entry touched before the lock: none, read, own, with commas",
      namesOf("pretouch", PRETOUCHES),
    )
    .option("--samples <n>", "samples of each row", whole, 5)
    .option(
      "--milliseconds <n>",
      "how long one sample lasts (300; storm 1000; memory and layout 200; check 500)",
      whole,
    )
    .option("--share <part>", "guest: how much of the programs' full length", part, 1)
    .option("--json <file>", "write the rows of every table as JSON")
    .action(async (chosen: string[], options: Options) => {
      process.exitCode = await bench(chosen.length > 0 ? chosen : names, options);
    });
}

async function bench(names: readonly string[], options: Options): Promise<number> {
  const progress = new Progress();
  const interrupt = watchInterrupt();
  const around: Surroundings = {
    progress: (text) => progress.update(text),
    complain: (line) => {
      progress.done();
      process.stderr.write(`bench: ${line}\n`);
    },
    adopt: interrupt.adopt,
    stopped: interrupt.happened,
  };
  const all: Record<string, readonly object[]> = {};
  try {
    for (const name of names) {
      if (interrupt.happened()) break;
      const measured = await BENCHES[name]!(options, around);
      progress.done();
      all[name] = measured.rows;
      process.stdout.write(`./faultline bench ${measured.command}\n${machine()}\n${measured.table}\n`);
    }
  } finally {
    progress.done();
    interrupt.stop();
  }
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ machine: machine(), ...all }, null, 2)}\n`);
  return interrupt.happened() ? 130 : 0;
}

/** What the figures came from. */
function machine(): string {
  const model = cpus()[0]?.model ?? "unknown processor";
  return `${cpus().length} × ${model}${isVirtual() ? ", virtual machine" : ""}, Node ${process.version}`;
}

function isVirtual(): boolean {
  try {
    return / hypervisor\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return false;
  }
}

/** One and two, and on a larger machine powers of two up to its processors and sixteen. */
function defaultThreads(): number[] {
  return [1, 2, 4, 8, 16].filter((n) => n <= Math.max(2, cpus().length));
}

function known(name: string, before: string[]): string[] {
  if (!(name in BENCHES)) throw new InvalidArgumentError(`there is: ${Object.keys(BENCHES).join(", ")}`);
  return [...before, name];
}

function protections(text: string): string[] {
  const names = text.split(",");
  if (names.some((name) => !(name in PROTECTIONS))) {
    throw new InvalidArgumentError(`there is: ${Object.keys(PROTECTIONS).join(", ")}, with commas between`);
  }
  return names;
}

function part(text: string): number {
  const n = Number(text);
  if (!(n > 0 && n <= 100)) throw new InvalidArgumentError("a part from 0 to 100 is wanted");
  return n;
}

function whole(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1 || n > 100_000) throw new InvalidArgumentError("1 to 100000 are possible");
  return n;
}

function threadList(text: string): number[] {
  const counts = text.split(",").map(Number);
  if (counts.some((n) => !Number.isInteger(n) || n < 1 || n > 16)) {
    throw new InvalidArgumentError("thread counts from 1 to 16 are wanted, with commas between");
  }
  return counts;
}
