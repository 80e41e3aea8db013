/**
 * zstd from Debian's source package, built statically for riscv64: a large program of others, with threads of its own.
 * Its output must be byte for byte what it is under qemu-riscv64, and its exit status too.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../../tools/paths.mjs";
import { debianSource } from "../support/debian";

const COMPILER = "riscv64-linux-gnu-gcc";
const EMULATOR = ["qemu-riscv64", "qemu-riscv64-static"].find((name) => spawnSync(name, ["--version"]).status === 0);
const present = process.env.FAULTLINE_FULL === "1" && EMULATOR && spawnSync(COMPILER, ["--version"]).status === 0;
const MEGABYTE = 2 ** 20;

function buildZstd(): string {
  const out = join(ROOT, "build/debian/bin/zstd");
  if (existsSync(out)) return out;
  const source = debianSource("zstd");
  const without = ["HAVE_ZLIB=0", "HAVE_LZMA=0", "HAVE_LZ4=0", "BACKTRACE=0"];
  const flags = ["-j2", `CC=${COMPILER}`, "CFLAGS=-O2", "LDFLAGS=-static", "HAVE_THREAD=1", ...without];
  execFileSync("make", ["-C", join(source, "programs"), "zstd", ...flags], { stdio: "pipe" });
  mkdirSync(join(out, ".."), { recursive: true });
  writeFileSync(out, readFileSync(join(source, "programs/zstd")), { mode: 0o755 });
  return out;
}

/** Words and numbers, in an order no compressor guesses: compresses about three to one. */
function makeText(bytes: number): Buffer {
  const random = xoroshiro128plus(7);
  const words = "fault table frame walk lock commit flush quiescent reader writer space munmap".split(" ");
  const lines: string[] = [];
  for (let size = 0; size < bytes; ) {
    const n = random.next() >>> 0;
    const line = `${words[n % words.length]} ${n.toString(36)} ${words[(n >>> 8) % words.length]}\n`;
    lines.push(line);
    size += line.length;
  }
  return Buffer.from(lines.join("")).subarray(0, bytes);
}

describe.skipIf(!present)("zstd, statically linked for riscv64", () => {
  const folder = mkdtempSync(join(tmpdir(), "faultline-zstd-"));
  const input = join(folder, "input");
  let zstd = "";

  beforeAll(() => {
    zstd = buildZstd();
    writeFileSync(input, makeText(6 * MEGABYTE));
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const faultline = (policy: string, args: string[], stdin?: Buffer) =>
    spawnSync(join(ROOT, "faultline"), ["run", "--fault", policy, "--dir", folder, zstd, ...args], {
      cwd: folder,
      input: stdin,
      env: { ...process.env, FAULTLINE_VERIFY: "1" },
      maxBuffer: 64 * MEGABYTE,
      timeout: 450_000,
    });
  const qemu = (args: string[], stdin?: Buffer) =>
    spawnSync(EMULATOR as string, [zstd, ...args], { cwd: folder, input: stdin, maxBuffer: 64 * MEGABYTE });

  test.each(["optimistic", "mmap-lock"])("-T3 on some megabytes under %s", { timeout: 600_000 }, (policy) => {
    const args = ["-q", "-f", "-T3", "-B1MiB", "-5", input, "-o"];
    const ours = join(folder, `${policy}.zst`);
    const theirs = join(folder, "qemu.zst");
    const got = faultline(policy, [...args, ours]);
    const want = qemu([...args, theirs]);
    expect([got.status, got.stderr.toString(), got.stdout.toString()]).toEqual([want.status, "", ""]);
    expect(readFileSync(ours).equals(readFileSync(theirs))).toBe(true);
    const back = faultline(policy, ["-d", "-c", "-q", ours]);
    expect([back.status, back.stdout.equals(readFileSync(input))]).toEqual([0, true]);
  });

  test("through pipes, one thread and three", { timeout: 600_000 }, () => {
    const data = readFileSync(input).subarray(0, 2 * MEGABYTE);
    for (const args of [
      ["-c", "-3"],
      ["-c", "-3", "-T3"],
      ["-c", "--ultra", "-20", "--single-thread"],
    ]) {
      const part = args.includes("-20") ? data.subarray(0, MEGABYTE / 2) : data;
      const got = faultline("optimistic", args, part);
      const want = qemu(args, part);
      expect([args, got.status, got.stderr.toString()]).toEqual([args, want.status, want.stderr.toString()]);
      expect(got.stdout.equals(want.stdout)).toBe(true);
    }
  });

  test("refuses what is corrupt, as under qemu", { timeout: 300_000 }, () => {
    const bad = readFileSync(join(folder, "optimistic.zst"));
    bad.writeUInt32LE(0xdeadbeef, bad.length >> 1);
    writeFileSync(join(folder, "bad.zst"), bad);
    for (const args of [
      ["-t", "bad.zst"],
      ["-t", "optimistic.zst"],
      ["-d", "-c", "missing.zst"],
      ["--no-such-option"],
    ]) {
      const got = faultline("optimistic", args);
      const want = qemu(args);
      expect([args, got.status, got.stderr.toString()]).toEqual([args, want.status, want.stderr.toString()]);
    }
  });

  test("--list and -b name what they did", { timeout: 300_000 }, () => {
    const got = faultline("optimistic", ["-l", "optimistic.zst"]);
    const want = qemu(["-l", "optimistic.zst"]);
    expect([got.status, got.stdout.toString()]).toEqual([want.status, want.stdout.toString()]);
  });
});
