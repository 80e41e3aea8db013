/**
 * The command line: `faultline VERB …`. Each verb is a file beside this one that registers itself; verbs.ts lists them.
 *
 * Promise   a usage error is one line that names the nearest option or verb, exit status 2 (125 under `run`, where lower
 *           ones are the guest's); any other failure is one line and 1 (125); never a stack trace.
 */
import { Command, CommanderError } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { VERBS } from "./verbs.js";

const USAGE = 2;
const FAILED = 1;
/** `run` reports Faultline's own errors so, as env(1) and docker do. */
const RUN_FAILED = 125;

/** Runs the command line and returns the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const ofRun = args[0] === "run";
  const program = buildProgram();
  try {
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      return ofRun ? RUN_FAILED : USAGE;
    }
    complain(error instanceof Error ? error.message : String(error));
    if (process.env.FAULTLINE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return ofRun ? RUN_FAILED : FAILED;
  }
}

function buildProgram(): Command {
  const program = new Command("faultline")
    .description("a virtual-memory manager with speculative page faults that runs riscv64 Linux programs")
    .version(`faultline ${packageJson.version}`, "--version", "print the name and the version")
    .helpOption("-h, --help", "show this help")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text) => complain(oneLine(text)) });
  for (const register of VERBS) register(program);
  for (const verb of program.commands) verb.copyInheritedSettings(program);
  return program;
}

/** "error: unknown option '--fualt'\n(Did you mean --fault?)" as one line. */
function oneLine(text: string): string {
  return text
    .trim()
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ");
}

function complain(text: string): void {
  process.stderr.write(`faultline: ${text.replace(/\s*\n\s*/g, " ")}\n`);
}
