/**
 * Processes and threads that do random work on memory and check themselves (test/programs/soak.c): a few seconds under each
 * policy and protection of page tables, each time with another seed, and with so little memory that calls fail and processes
 * are killed. The machine looks for leaks at each end.
 *
 * FAULTLINE_SOAK_SEED=n repeats a seed: the same choices, though not the same interleaving. FAULTLINE_SOAK_MS=n works longer, 40000 at most.
 */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { buildProgram, comparable, type Program, type Ran, runFaultline, runNative } from "../support/programs";

const SETTINGS = [
  ["optimistic"],
  ["optimistic", "--tables", "irq"],
  ["optimistic", "--table-layout", "halves"],
  ["spf"],
  ["spf", "--tables", "irq"],
  ["vma-lock"],
  ["vma-lock", "--tables", "irq"],
  ["vma-refcount"],
  ["vma-refcount", "--tables", "irq", "--table-layout", "fragments"],
  ["mmap-lock"],
  ["mmap-lock", "--tables", "irq"],
];
const MS = Number(process.env.FAULTLINE_SOAK_MS ?? 7000);
const THREADS = 3;
const PROCESSES = 2;
const MEMORY = "512M";
/** What the program needs when nothing fails, or little more. */
const SCARCE = ["23M", "24M", "28M"];
/** How a process is told to have been killed for want of memory; the first one among them. */
const OUT_OF_MEMORY = /^faultline: (process \d+: )?out of memory: .*\n/gm;
/** SIGKILL; SIGSEGV where a signal's frame found no memory on the stack. */
const KILLED = [137, 139];

function seedOfRun(): number {
  return Number(process.env.FAULTLINE_SOAK_SEED ?? randomInt(1, 2 ** 31));
}

describe.skipIf(process.env.FAULTLINE_FULL !== "1" || !comparable)("the soak", () => {
  const folder = mkdtempSync(join(tmpdir(), "faultline-soak-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let built: Program | undefined;
  const program = (): Program => {
    built ??= buildProgram("soak", folder);
    return built;
  };
  const seeds = new Map<string, number>();
  const args = (name: string, more: string[] = []): string[] => {
    const seed = seedOfRun();
    seeds.set(name, seed);
    process.stdout.write(`soak, ${name}: seed ${seed}\n`);
    return [`${seed}`, `${MS}`, `${THREADS}`, `${PROCESSES}`, ...more];
  };
  const sound = (name: string, { status, stderr, sections }: Ran) => {
    expect({ seed: seeds.get(name), status, stderr }).toEqual({ seed: seeds.get(name), status: 0, stderr: "" });
    process.stdout.write(`${name}: ${sections.get("")}`);
    expect(sections.get("")).toMatch(/^soak: seed \d+, [1-9]\d* steps, [1-9]\d* processes, [1-9]\d* additions, /);
  };

  test.skipIf(process.arch !== "x64" && process.arch !== "riscv64")("this kernel", { timeout: MS + 180_000 }, () => {
    sound("this kernel", runNative(program(), args("this kernel")));
  });

  describe.each(SETTINGS.map((setting, i) => ({ setting, host: i % 2 === 1 })))("the machine", ({ setting, host }) => {
    const name = `${setting.join(" ")}${host ? ", files of the host" : ""}`;
    test(name, { timeout: MS + 270_000 }, () => {
      const [policy = "", ...options] = setting;
      const files = host ? ["--dir", `${folder}:/tmp`] : [];
      sound(name, runFaultline(program(), args(name), policy, { options: [...options, ...files, "--memory", MEMORY] }));
    });
  });

  test.each(SCARCE)("memory of %s: calls fail and processes die, no byte is wrong", {
    timeout: MS + 270_000,
  }, (memory) => {
    const { status, stderr, sections } = runFaultline(program(), args(memory, ["scarce"]), "optimistic", {
      options: ["--memory", memory],
    });
    const rest = stderr.replace(OUT_OF_MEMORY, "");
    expect({ seed: seeds.get(memory), rest }).toEqual({ seed: seeds.get(memory), rest: "" });
    expect([0, ...KILLED]).toContain(status);
    if (status === 0) expect(sections.get("")).toMatch(/^soak: seed /);
  });
});
