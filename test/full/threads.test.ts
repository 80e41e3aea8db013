/**
 * Threads that outnumber the processors: the storm with every word verified, and what its waits cost.
 * No wait is a spin alone, so eight threads on two processors may take at most twice the CPU time of two for equal work.
 */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { ROOT } from "../../tools/paths.mjs";

const ROUNDS = 960;
const CLOCK_TICKS = 100;

/** Runs the storm on two processors; its output, status and CPU seconds, its children's included. */
function storm(policy: string, threads: number, ...args: string[]) {
  const launch = `${process.execPath} tools/launch.mjs run --cpus 2 --fault ${policy} guest/bin/storm`;
  const command = `taskset -c 0,1 ${launch} -t ${threads} ${args.join(" ")}; echo status $?; cat /proc/$$/stat`;
  const { stdout } = spawnSync("sh", ["-c", command], { cwd: ROOT, encoding: "utf8", timeout: 360_000 });
  const [output = "", rest = ""] = stdout.split(/^status /m);
  const fields = rest.slice(rest.lastIndexOf(")") + 2).split(" ");
  // cutime and cstime, fields 16 and 17 of proc_pid_stat(5); field 3 is the first here.
  const seconds = (Number(fields[13]) + Number(fields[14])) / CLOCK_TICKS;
  return { output, status: Number.parseInt(rest, 10), seconds };
}

describe.skipIf(process.env.FAULTLINE_FULL !== "1" || process.platform !== "linux")("threads on two processors", () => {
  test.each([
    ["optimistic", 2],
    ["optimistic", 8],
    ["optimistic", 24],
    ["mmap-lock", 2],
    ["mmap-lock", 8],
    ["optimistic --tables irq", 8],
    ["spf --tables irq", 8],
    ["vma-lock", 8],
    ["optimistic --table-layout halves", 8],
    ["optimistic --table-layout fragments", 8],
  ])("%s, %i threads: every word verified beside a mutator", { timeout: 390_000 }, (policy, threads) => {
    const { output, status } = storm(policy, threads, "-s 4", "-v", "-p 512");
    expect(output).toMatch(/^total .* errors=0$/m);
    expect(status).toBe(0);
  });

  test.each(["optimistic", "mmap-lock"])("%s: eight threads cost at most twice what two do", {
    timeout: 600_000,
  }, (policy) => {
    const cost = (threads: number) => {
      const runs = [1, 2, 3].map(() => storm(policy, threads, `-n ${ROUNDS / threads}`, "-p 2048"));
      for (const { status } of runs) expect(status).toBe(0);
      return runs.map(({ seconds }) => seconds).sort((a, b) => a - b)[1] as number;
    };
    const [two, eight] = [cost(2), cost(8)];
    process.stdout.write(`${policy}: CPU seconds for equal work: 2 threads ${two}, 8 threads ${eight}\n`);
    expect(eight).toBeLessThanOrEqual(2 * two);
  });
});
