/**
 * Builds the C programs of test/programs and runs them on three machines: this kernel, qemu-riscv64, and Faultline.
 *
 * Output is cut at the "== NAME" lines, so that a difference is told by section, and a crash loses only what follows it.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../tools/paths.mjs";

const CROSS = "riscv64-linux-gnu-gcc";
const NATIVE = "gcc";
const EMULATOR = ["qemu-riscv64-static", "qemu-riscv64"].find((name) => answers(name));
const LAUNCHER = join(ROOT, "faultline");
const SOURCES = join(ROOT, "test/programs");

const LIBC = ["-O2", "-pthread", "-Wno-stringop-overflow"];
const ALONE = [
  "-O2",
  "-static",
  "-fPIE",
  "-Wl,-pie,--no-dynamic-linker",
  "-ffreestanding",
  "-nostdlib",
  "-nostartfiles",
  "-fno-stack-protector",
];

/** What a program did; a fatal signal n is status 128 + n, as a shell has it. */
export interface Ran {
  readonly status: number;
  readonly sections: ReadonlyMap<string, string>;
  readonly stderr: string;
}

export interface Program {
  readonly native: string;
  readonly riscv64: string;
}

function answers(command: string): boolean {
  return spawnSync(command, ["--version"]).status === 0;
}

/** True where the comparisons can be made at all. */
export const comparable =
  process.platform === "linux" &&
  EMULATOR !== undefined &&
  answers(CROSS) &&
  (process.arch !== "x64" || answers(NATIVE));

/** Compiles one program twice into `folder`. `alone`: a static PIE without a C library. */
export function buildProgram(name: string, folder: string, alone = false): Program {
  const source = join(SOURCES, `${name}.c`);
  const native = join(folder, `${name}-native`);
  const riscv64 = join(folder, name);
  const flags = alone ? [...ALONE, "-fno-tree-loop-distribute-patterns"] : LIBC;
  execFileSync(NATIVE, [...flags, "-o", native, source, "-lm"].filter(known(alone)), { stdio: "pipe" });
  const cross = alone ? flags : [...flags, "-static"];
  execFileSync(CROSS, [...cross, "-o", riscv64, source, "-lm"].filter(known(alone)), { stdio: "pipe" });
  return { native, riscv64 };
}

/** A program alone links no library. */
function known(alone: boolean): (flag: string) => boolean {
  return (flag) => !alone || flag !== "-lm";
}

/** Who runs a program; undefined: whoever runs the tests. */
export type User = number | undefined;

export function runNative({ native }: Program, args: readonly string[], user?: User): Ran {
  return run(native, args, user);
}

export function runEmulator({ riscv64 }: Program, args: readonly string[]): Ran {
  return run(EMULATOR as string, [riscv64, ...args]);
}

export function runFaultline(
  { riscv64 }: Program,
  args: readonly string[],
  policy: string,
  { user, options = [] }: { user?: User; options?: readonly string[] } = {},
): Ran {
  return run(LAUNCHER, ["run", "--fault", policy, ...options, riscv64, ...args], user);
}

/** False where the checkout lies in a folder that other users may not enter. */
export function mayRun(user: User): boolean {
  return spawnSync(LAUNCHER, ["--version"], { uid: user, gid: user }).status === 0;
}

function run(command: string, args: readonly string[], user?: User): Ran {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: 180_000,
    killSignal: "SIGKILL",
    maxBuffer: 2 ** 26,
    ...(user !== undefined && { uid: user, gid: user }),
    env: { PATH: process.env.PATH, FAULTLINE_VERIFY: "1" },
  });
  if (error) throw error;
  return { status: signal ? 128 + constants.signals[signal] : (status as number), sections: cut(stdout), stderr };
}

/** Sections by name; what stands before the first is under "". */
export function cut(output: string): Map<string, string> {
  const sections = new Map<string, string>();
  for (const part of output.split(/^(?=== )/m)) {
    const [, name = "", body = part] = part.match(/^== (\w+)\n([\s\S]*)$/) ?? [];
    sections.set(name, body);
  }
  return sections;
}
