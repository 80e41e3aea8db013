/** `npm run lint`: format and lint (biome), types of both languages (tsc), layers. All run; any failure fails. */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ROOT } from "./paths.mjs";

const require = createRequire(import.meta.url);

/** The script that a package's command runs: npx would cost a second each. */
function command(packageName, name) {
  const file = require.resolve(`${packageName}/package.json`);
  const { bin } = require(file);
  return join(dirname(file), typeof bin === "string" ? bin : bin[name]);
}

const CHECKS = [
  ["biome", command("@biomejs/biome", "biome"), "check", "--error-on-warnings", "."],
  ["types of TypeScript", command("typescript", "tsc"), "-p", "tsconfig.json"],
  ["types of the core", command("typescript", "tsc"), "-p", "tsconfig.core.json"],
  ["layers", "tools/check-layers.mjs"],
];

for (const [name, ...args] of CHECKS) {
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
  process.stderr.write(`lint: ${name}: ${status === 0 ? "ok" : "FAILED"}\n`);
  if (status !== 0) process.exitCode = 1;
}
