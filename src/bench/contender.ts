/**
 * bench/contender.ts: who runs a guest program: Faultline with some options, this machine's kernel, qemu-user.
 *
 *   ours     node tools/launch.mjs run OPTIONS -- guest/bin/NAME
 *   native   the same C source by this machine's cc (x86-64 Linux only)
 *   qemu     qemu-riscv64 on guest/bin/NAME, where it is installed
 */
import { type ChildProcess, spawnSync } from "node:child_process";
import { join } from "node:path";
import { runChild } from "./child.js";

export interface Contender {
  readonly name: string;
  /** The command that runs a program with arguments. */
  command(program: string, args: readonly string[]): readonly string[];
}

const LIMIT_MS = 120_000;

export function ours(root: string, name: string, options: readonly string[]): Contender {
  const launch = [process.execPath, join(root, "tools/launch.mjs"), "run", ...options, "--"];
  return { name, command: (program, args) => [...launch, join(root, "guest/bin", program), ...args] };
}

/** Builds every program; undefined where there is no compiler for it. */
export function native(root: string): Contender | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const folder = join(root, "build/native");
  const { status } = spawnSync(process.execPath, [join(root, "guest/build.mjs"), "--native", folder]);
  if (status !== 0) return undefined;
  return { name: "native", command: (program, args) => [join(folder, program), ...args] };
}

export function qemu(root: string): Contender | undefined {
  const emulator = ["qemu-riscv64", "qemu-riscv64-static"].find((name) => spawnSync(name, ["--version"]).status === 0);
  if (!emulator) return undefined;
  return { name: "qemu", command: (program, args) => [emulator, join(root, "guest/bin", program), ...args] };
}

/** What the program printed, or undefined when it failed or was ended; the reason goes to `complain`. */
export async function run(
  contender: Contender,
  program: string,
  args: readonly string[],
  adopt: (child: ChildProcess) => void,
  complain: (line: string) => void,
): Promise<string | undefined> {
  const ended = await runChild(contender.command(program, args), LIMIT_MS, adopt);
  if (ended.status === 0) return ended.output;
  complain(`${contender.name}: ${program} ${args.join(" ")}: ${ended.complaint}`);
  return undefined;
}
