/**
 * dash from Debian's source package, built statically for riscv64, runs a script of subshells, pipelines and traps: what it
 * prints and how it ends must be what this machine's own dash does.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ROOT } from "../../tools/paths.mjs";
import { debianSource } from "../support/debian";

const COMPILER = "riscv64-linux-gnu-gcc";
const NATIVE = "/bin/dash";
const SCRIPT = join(ROOT, "test/programs/shell.sh");
const present =
  process.env.FAULTLINE_FULL === "1" && existsSync(NATIVE) && spawnSync(COMPILER, ["--version"]).status === 0;

function buildDash(): string {
  const out = join(ROOT, "build/debian/bin/dash");
  if (existsSync(out)) return out;
  const cwd = debianSource("dash");
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { cwd, stdio: "pipe" });
  run("./configure", "--host=riscv64-linux-gnu", "--enable-static", `CC=${COMPILER}`, "CC_FOR_BUILD=cc");
  // The package brings what these would make again.
  run("make", "-j2", ...["ACLOCAL", "AUTOCONF", "AUTOHEADER", "AUTOMAKE"].map((tool) => `${tool}=:`));
  mkdirSync(dirname(out), { recursive: true });
  copyFileSync(join(cwd, "src/dash"), out);
  return out;
}

describe.skipIf(!present)("dash, statically linked for riscv64", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "faultline-dash-")));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function ran(command: string, args: readonly string[], env: Record<string, string>) {
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: folder,
      env,
      encoding: "utf8",
      timeout: 180_000,
    });
    return { status, stdout, stderr };
  }

  test.each(["optimistic", "mmap-lock", "vma-lock"])("%s", { timeout: 720_000 }, (policy) => {
    const dash = buildDash();
    const want = ran(NATIVE, [SCRIPT], { SH: NATIVE, DIR: folder });
    expect(want.stdout.split("\n")).toContain("ran 40");
    const given = [dirname(dash), dirname(SCRIPT), folder].flatMap((path) => ["--dir", path]);
    const env = ["--env", `SH=${dash}`, "--env", `DIR=${folder}`];
    const args = ["run", "--fault", policy, ...given, ...env, dash, SCRIPT];
    const got = ran(join(ROOT, "faultline"), args, { PATH: process.env.PATH ?? "", FAULTLINE_VERIFY: "1" });
    expect(got).toEqual(want);
  });
});
