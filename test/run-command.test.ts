/** `faultline run` as a user drives it: the committed guest programs, wrong usage, programs that are none, signals. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import * as asm from "./support/assemble";
import { type Ended, ended, ROOT, said, start as startIn } from "./support/command.js";

const folder = mkdtempSync(join(tmpdir(), "faultline-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const guest = (name: string): string => join(ROOT, "guest/bin", name);

const start = (...args: string[]): ChildProcess => startIn(folder, ...args);

const faultline = (...args: string[]): Promise<Ended> => ended(start(...args));

/** One line that says what is wrong, and Faultline's own status. */
async function refused(...args: string[]): Promise<string> {
  const { status, out, err } = await faultline("run", ...args);
  expect([status, out]).toEqual([125, ""]);
  expect(err).toMatch(/^faultline: [^\n]+\n$/);
  return err;
}

let made = 0;

function program(bytes: Uint8Array): string {
  const path = join(folder, `program${made++}`);
  writeFileSync(path, bytes, { mode: 0o755 });
  return path;
}

/** The committed hello with some bytes changed. */
function changed(change: (view: DataView) => void): string {
  const bytes = Uint8Array.from(readFileSync(guest("hello")));
  change(new DataView(bytes.buffer));
  return program(bytes);
}

/** A static program of these words alone. */
function assembled(...words: number[]): string {
  const base = 0x10000n;
  const code = asm.assemble(...words);
  const bytes = new Uint8Array(120 + code.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, base + 120n, true);
  view.setBigUint64(32, 64n, true);
  view.setUint32(48, 5, true);
  for (const [at, value] of [
    [52, 64],
    [54, 56],
    [56, 1],
  ] as const) {
    view.setUint16(at, value, true);
  }
  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  view.setBigUint64(80, base, true);
  view.setBigUint64(88, base, true);
  view.setBigUint64(96, BigInt(bytes.length), true);
  view.setBigUint64(104, BigInt(bytes.length), true);
  view.setBigUint64(112, 4096n, true);
  bytes.set(code, 120);
  return program(bytes);
}

const [SP, A0, A1, A2, A7] = [2, 10, 11, 12, 17];
const [WRITE, EXIT_GROUP] = [64, 94];

describe("programs", () => {
  test("hello prints its arguments and ends well", async () => {
    const { status, out, err } = await faultline("run", "--", guest("hello"), "--stats", "-x");
    expect([status, err]).toEqual([0, ""]);
    expect(out).toContain("3 arguments");
  });

  test("threads count together, under each policy", { timeout: 180_000 }, async () => {
    for (const policy of ["mmap-lock", "spf", "vma-lock", "vma-refcount", "optimistic"]) {
      const { status, out } = await faultline("run", "--fault", policy, guest("counter"), "-t", "6", "-n", "3000");
      expect([policy, status, out]).toEqual([policy, 0, "amo 18000 ok\ncas 18000 ok\nmutex 18000 ok\n"]);
    }
  });

  test("the storm, every word verified, eight threads beside a mutator", { timeout: 180_000 }, async () => {
    for (const policy of ["mmap-lock", "spf", "vma-lock", "optimistic"]) {
      const args = ["-t", "8", "-n", "6", "-p", "96", "-v"];
      const { status, out, err } = await faultline("run", "--fault", policy, guest("storm"), ...args);
      expect([policy, status, err]).toEqual([policy, 0, ""]);
      expect(out).toMatch(/^total .* errors=0$/m);
    }
  });

  test.each([
    ["wild", "signal 11 code 1 address right"],
    ["readonly", "signal 11 code 2 address right"],
    ["none", "signal 11 code 2 address right"],
    ["unmapped", "signal 11 code 1 address right"],
  ])("a %s store raises SIGSEGV with the right address and code", async (kind, line) => {
    const { status, out } = await faultline("run", guest("segv"), kind);
    expect([status, out.split("\n")[0]]).toEqual([0, line]);
  });

  test("an unhandled SIGSEGV is 128 + 11", async () => {
    expect((await faultline("run", guest("segv"), "die")).status).toBe(139);
  });

  test("an unknown call is ENOSYS, and the statistics name it", async () => {
    const file = join(folder, "stats.json");
    // a7 = 5000 does not fit addi: 500 is in no table of Linux 6.x either.
    const path = assembled(asm.addi(A7, 0, 500), asm.ecall, asm.addi(A7, 0, EXIT_GROUP), asm.ecall);
    const { status, err } = await faultline("run", "--stats", "--stats-json", file, path);
    expect(status).toBe(256 - 38);
    expect(err).toMatch(/call \S*500\S*\s+1\s+unknown: ENOSYS/);
    const stats = JSON.parse(readFileSync(file, "utf8"));
    expect(Object.values(stats.unknown_calls)).toEqual([1]);
    expect(stats.faults.total).toBeGreaterThanOrEqual(stats.faults.anon + stats.faults.file);
    expect(stats.instructions).toBe(2);
  });

  test("statistics of the storm agree with the policy", { timeout: 180_000 }, async () => {
    for (const policy of ["mmap-lock", "optimistic"]) {
      const file = join(folder, `${policy}.json`);
      const args = ["-t", "2", "-n", "20", "-p", "256"];
      const { status } = await faultline("run", "--fault", policy, "--stats-json", file, guest("storm"), ...args);
      const { faults, tlb, latency_ns: latency } = JSON.parse(readFileSync(file, "utf8"));
      expect(status).toBe(0);
      expect(faults.anon).toBeGreaterThanOrEqual(2 * 20 * 256);
      expect(faults.locked / faults.total > 0.5).toBe(policy === "mmap-lock");
      expect(tlb.shootdowns).toBeGreaterThan(0);
      expect(latency.p99).toBeGreaterThanOrEqual(latency.p50);
    }
  });

  test("memory that runs out kills the guest and says so", async () => {
    const { status, err } = await faultline(
      "run",
      "--memory",
      "32M",
      guest("storm"),
      "-t",
      "8",
      "-m",
      "none",
      "-n",
      "20",
      "-p",
      "1024",
    );
    expect(status).toBe(137);
    expect(err).toMatch(/^faultline: out of memory: [^\n]+\n$/);
  });

  test("sixty-four threads", { timeout: 270_000 }, async () => {
    const { status, err } = await faultline("run", "--memory", "512M", guest("counter"), "-t", "64", "-n", "1");
    expect([status, err]).toEqual([0, ""]);
  });
});

describe("signals", () => {
  /** Writes a byte, and then runs until something ends it. */
  const endless = assembled(
    asm.addi(A0, 0, 1),
    asm.addi(A1, SP, 0),
    asm.addi(A2, 0, 1),
    asm.addi(A7, 0, WRITE),
    asm.ecall,
    asm.jal(0, 0),
  );

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s reaches the guest, which dies of it: %i", { timeout: 90_000 }, async (signal, status) => {
    const child = start("run", endless);
    const end = ended(child);
    await said(child, /./);
    child.kill(signal);
    expect((await end).status).toBe(status);
  });
});

describe("usage", () => {
  test("the version and the help", async () => {
    expect(await faultline("--version")).toMatchObject({
      status: 0,
      err: "",
      out: expect.stringMatching(/^faultline \d/),
    });
    for (const args of [["--help"], ["run", "--help"], ["storm", "--help"]]) {
      const { status, out } = await faultline(...args);
      expect([status, out.includes("Usage: faultline")]).toEqual([0, true]);
      expect(out).not.toContain("\u001b");
    }
  });

  test("what is mistyped is named", async () => {
    expect(await refused("--stat", guest("hello"))).toContain("--stats");
    expect(await refused("--fault", "speculative", guest("hello"))).toContain("optimistic");
    expect(await faultline("strom")).toMatchObject({ status: 2, err: expect.stringContaining("storm") });
  });

  test.each([
    [["--memory", "0"]],
    [["--memory", "abc"]],
    [["--memory", "5G"]],
    [["--memory", "1M"]],
    [["--cpus", "0"]],
    [["--cpus", "many"]],
    [["--env", "novalue"]],
    [["--dir", "/nonexistent/folder"]],
    [["--root", "/nonexistent"]],
    [["--stats-json"]],
  ])("%j is refused", async (args) => {
    await refused(...args, guest("hello"));
  });

  test("through a link, and two at once", async () => {
    const link = join(folder, "linked");
    symlinkSync(join(ROOT, "faultline"), link);
    const runs = [1, 2].map(() => ended(spawn(link, ["run", guest("hello")], { cwd: folder })));
    for (const run of await Promise.all(runs)) expect(run.status).toBe(0);
  });

  test("--env, and nothing else of the host's environment", async () => {
    const few = await faultline("run", guest("hello"));
    const more = await faultline("run", "--env", "A=1", "--env", "B=2=3", guest("hello"));
    const count = ({ out }: Ended) => Number(/(\d+) environment/.exec(out)?.[1]);
    expect([count(few), count(more)]).toEqual([3, 5]);
  });
});

describe("what is no riscv64 program", () => {
  test.each([
    ["an empty file", () => program(new Uint8Array(0))],
    ["a text", () => program(new TextEncoder().encode("#!/bin/sh\necho\n"))],
    ["a folder", () => folder],
    ["nothing", () => join(folder, "missing")],
    ["another machine's", () => changed((v) => v.setUint16(18, 62, true))],
    ["a 32-bit program", () => changed((v) => v.setUint8(4, 1))],
    ["a big-endian program", () => changed((v) => v.setUint8(5, 2))],
    ["an object file", () => changed((v) => v.setUint16(16, 1, true))],
    ["headers beyond the file", () => changed((v) => v.setBigUint64(32, 1n << 40n, true))],
    ["more headers than the file holds", () => changed((v) => v.setUint16(56, 65535, true))],
    ["headers of a wrong size", () => changed((v) => v.setUint16(54, 32, true))],
    ["an entry that no segment holds", () => changed((v) => v.setBigUint64(24, 0x7000_0000n, true))],
    ["the first half of a header", () => program(readFileSync(guest("hello")).subarray(0, 40))],
    ["a program cut short", () => program(readFileSync(guest("hello")).subarray(0, 600))],
  ])("%s", async (_name, make) => {
    await refused(make());
  });

  test("a program that may not be run", async () => {
    const path = join(folder, "unreadable");
    copyFileSync(guest("hello"), path);
    chmodSync(path, 0o644);
    expect(await refused(path)).toContain("Permission denied");
  });

  test("segments that lie", async () => {
    const first = 64;
    for (const lie of [
      (v: DataView) => v.setBigUint64(first + 32, 1n << 50n, true),
      (v: DataView) => v.setBigUint64(first + 40, 1n << 62n, true),
      (v: DataView) => v.setBigUint64(first + 16, 0xffff_ffff_ffff_f000n, true),
    ]) {
      await refused(
        changed((v) => {
          for (let at = first; at < first + v.getUint16(56, true) * 56; at += 56) {
            if (v.getUint32(at, true) === 1) {
              lie(new DataView(v.buffer, at - first));
              return;
            }
          }
        }),
      );
    }
  });
});

test("exit status comes through", async () => {
  const path = assembled(asm.addi(A0, 0, 77), asm.addi(A7, 0, EXIT_GROUP), asm.ecall);
  expect((await faultline("run", path)).status).toBe(77);
});
