/**
 * `npm test`: set up, then the tests. Arguments go to vitest; `--full` adds the long comparisons of test/full.
 * As many workers as cores: vitest leaves one core free, which on two cores is half of them.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ROOT } from "./paths.mjs";
import { setupOrExit } from "./setup.mjs";

await setupOrExit(1);
const args = process.argv.slice(2);
const full = args.includes("--full");
const env = { ...process.env, ...(full && { FAULTLINE_FULL: "1" }) };
const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
const child = spawn(
  process.execPath,
  [vitest, "run", `--maxWorkers=${availableParallelism()}`, ...args.filter((arg) => arg !== "--full")],
  {
    cwd: ROOT,
    env,
    stdio: "inherit",
  },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = signal ? 1 : code;
});
