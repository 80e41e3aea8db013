/**
 * Install the packages when they are missing or older than package-lock.json. Needs nothing but Node and npm.
 *
 * Missing    node_modules lacks one of package.json's packages (an install without dev packages lacks the build tools)
 * Older      npm's own record in node_modules is older than package-lock.json
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./paths.mjs";

export function needsInstall() {
  const modules = join(ROOT, "node_modules");
  const record = join(modules, ".package-lock.json");
  if (!existsSync(record)) return "node_modules is missing";
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    if (!existsSync(join(modules, name))) return `node_modules lacks ${name}`;
  }
  if (statSync(record).mtimeMs < statSync(join(ROOT, "package-lock.json")).mtimeMs) {
    return "package-lock.json is newer than node_modules";
  }
  return undefined;
}

export function install(say) {
  const reason = needsInstall();
  if (!reason) return;
  say(`${reason}: installing packages (npm ci)`);
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const options = { cwd: ROOT, stdio: ["ignore", 2, 2], shell: process.platform === "win32" };
  const { status, error } = spawnSync(
    npm,
    ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"],
    options,
  );
  if (error) throw new Error(`npm could not be started: ${error.message}`);
  if (status !== 0) throw new Error(`npm ci failed with status ${status}`);
}
