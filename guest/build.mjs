/** guest/build.mjs: our C guest programs to ELF files.
 *
 *   node guest/build.mjs               riscv64 programs into guest/bin/, and the compiler's version beside them
 *   node guest/build.mjs --check       rebuild elsewhere and compare: the same bytes with the recorded compiler,
 *                                      the same behaviour (under qemu-riscv64) with another
 *   node guest/build.mjs --native [DIR]  the same sources with this machine's cc, into build/native/
 *
 * Promise     the riscv64 files depend on nothing but the sources and the compiler: no build id, no path, no date
 * Status      0, 1 when a program differs or does not build, 2 for wrong usage or a missing compiler          */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const RECORD = join(HERE, "bin", "COMPILER");
const CROSS = "riscv64-linux-gnu-gcc";
const START = ["start", "print", "thread", "signal"];
const COMMON = [
  "-std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -static -fno-pie -no-pie -fno-ident",
  "-fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns",
  "-fomit-frame-pointer -ffunction-sections -fdata-sections",
  "-s -Wl,--gc-sections,--build-id=none,-z,noexecstack,-z,noseparate-code,-z,max-page-size=4096",
].flatMap((line) => line.split(" "));

/** A program and the command lines whose output and status tell whether it behaves. */
const PROGRAMS = {
  compute: [["integer", "-n", "5000"], ["memory", "-n", "1"], ["float", "-n", "5000"], ["other"]],
  hello: [
    ["a", "b c"],
    ["exit", "42"],
  ],
  counter: [["-t", "3", "-n", "500"], ["-x"]],
  segv: [["wild"], ["readonly"], ["none"], ["unmapped"], ["die"], []],
  membench: [
    ["-t", "2", "-m", "-s", "0.02", "mmap", "dontneed", "fileread", "shared"],
    ["-s", "0.02", "fork", "exec", "cow"],
    ["none"],
    [],
  ],
  storm: [["-t", "2", "-p", "32", "-n", "3", "-v"], ["-t", "1", "-m", "none", "-r", "dontneed", "-p", "16"], ["-q"]],
};

function compile(compiler, extra, name, output) {
  const sources = [`${name}.c`, ...START.map((part) => `start/${part}.c`)];
  execFileSync(compiler, [...COMMON, ...extra, "-Istart", "-o", output, ...sources], { cwd: HERE, stdio: "inherit" });
}

const cross = (name, output) =>
  compile(CROSS, ["-march=rv64gc", "-mabi=lp64d", "-mcmodel=medlow", "-msmall-data-limit=0"], name, output);

function version(compiler) {
  const { error, stdout } = spawnSync(compiler, ["--version"], { encoding: "utf8" });
  return error ? undefined : stdout.split("\n")[0];
}

/** What a run shows once times and rates, which never repeat, are taken out. */
function behaviour(file, args) {
  const run = spawnSync("qemu-riscv64-static", [file, ...args], { encoding: "utf8", env: {}, timeout: 60_000 });
  if (run.error) throw new Error(`cannot run qemu-riscv64-static: ${run.error.code}`);
  const shown = (run.stdout + run.stderr)
    .replace(/\b(ns|rate)=\d+/g, "$1=…")
    .replace(/^mutator .*$/m, "mutator …")
    .replace(/^(\w+) \d+ \d+$/gm, "$1 …")
    .replace(/^qemu: uncaught .*$/gm, "");
  return `${run.signal ?? run.status} ${shown}`;
}

function differs(name, built, sameCompiler) {
  const committed = join(HERE, "bin", name);
  if (readFileSync(built).equals(readFileSync(committed))) return undefined;
  if (sameCompiler) return "other bytes from the recorded compiler";
  const odd = PROGRAMS[name].find((args) => behaviour(built, args) !== behaviour(committed, args));
  return odd && `other behaviour: ${[name, ...odd].join(" ")}`;
}

function check() {
  const recorded = readFileSync(RECORD, "utf8").trim();
  const sameCompiler = version(CROSS) === recorded;
  const folder = mkdtempSync(join(tmpdir(), "guest-"));
  let failed = 0;
  try {
    for (const name of Object.keys(PROGRAMS)) {
      let why;
      try {
        cross(name, join(folder, name));
        why = differs(name, join(folder, name), sameCompiler);
      } catch (error) {
        why = error.message.split("\n")[0];
      }
      if (why) failed++;
      console.log(`${name}: ${why ?? (sameCompiler ? "the same bytes" : "the same behaviour (another compiler)")}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log(`${Object.keys(PROGRAMS).length - failed} passed, ${failed} failed`);
  return failed ? 1 : 0;
}

function build() {
  mkdirSync(join(HERE, "bin"), { recursive: true });
  for (const name of Object.keys(PROGRAMS)) {
    const file = join(HERE, "bin", name);
    cross(name, file);
    console.log(`${name}: ${readFileSync(file).length} bytes`);
  }
  writeFileSync(RECORD, `${version(CROSS)}\n`);
  return 0;
}

function native(folder) {
  mkdirSync(folder, { recursive: true });
  for (const name of Object.keys(PROGRAMS)) compile("cc", [], name, join(folder, name));
  return 0;
}

function main([mode, folder, ...rest]) {
  const known = mode === undefined || mode === "--check" || mode === "--native";
  if (!known || rest.length || (folder && mode !== "--native")) {
    console.error("usage: node guest/build.mjs [--check | --native [DIR]]");
    return 2;
  }
  const compiler = mode === "--native" ? "cc" : CROSS;
  if (!version(compiler)) {
    console.error(`guest: no ${compiler} on this machine`);
    return 2;
  }
  if (mode === "--native") return native(folder ?? join(HERE, "..", "build", "native"));
  return mode === "--check" ? check() : build();
}

process.exitCode = main(process.argv.slice(2));
