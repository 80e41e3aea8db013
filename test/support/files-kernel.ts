/** This machine's kernel as an oracle of file calls: test/oracle/files.c, compiled once, run in an empty directory.
 *  Only on x86-64 Linux with a C compiler; the numbers of its flags are those of riscv64. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Answer, type Arg, type Call, kernelDialect, show, x64Number } from "./files-calls";

const SOURCE = fileURLToPath(new URL("../oracle/files.c", import.meta.url));

/** The oracle: calls, run in order, to what they answered. undefined where there is none. */
export function findKernel(): ((calls: readonly Call[]) => string[]) | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  if (spawnSync("cc", ["--version"]).error) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "faultline-oracle-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, "files");
  execFileSync("cc", ["-O1", "-o", program, SOURCE]);
  return (calls) => runKernel(program, calls);
}

function runKernel(program: string, calls: readonly Call[]): string[] {
  const top = realpathSync(mkdtempSync(join(tmpdir(), "faultline-kernel-")));
  const home = join(top, "home");
  chmodSync(top, 0o755);
  mkdirSync(home);
  try {
    const input = calls.map(([name, ...args]) => [x64Number(name), ...args.map(word)].join(" ")).join("\n");
    const ran = spawnSync("sh", ["-c", 'umask 022; exec "$0"', program], { cwd: home, input, maxBuffer: 2 ** 28 });
    const lines = ran.stdout.toString("latin1").split("\n");
    return calls.map((call, i) => show(call, parse(lines[i] ?? ""), kernelDialect(home)));
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

function word(arg: Arg): string {
  if (arg === null) return "0";
  if (typeof arg === "string") return `x${Buffer.from(arg, "latin1").toString("hex")}`;
  return typeof arg === "object" ? `o${arg.out}` : String(arg);
}

function parse(line: string): Answer {
  const [result = "", ...outs] = line.split(" ");
  return { result: Number(result), outs: outs.map((hex) => new Uint8Array(Buffer.from(hex, "hex"))) };
}
