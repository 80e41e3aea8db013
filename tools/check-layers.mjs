/**
 * Check that imports point down only. The table is the architecture; the message names what a layer may import.
 * Our own tool because the core is AssemblyScript, whose imports dependency-cruiser's TypeScript reader does not take.
 *
 *    cli   web   bench            drive an engine
 *   run   check   predict         the engines; claims asks check and predict
 *   core: hart → task → mm → sync → abi
 *
 * Rules      1 a folder imports itself and the layers in its row  2 abi is the one part of the core that TypeScript may
 *            import: it is compiled by both  3 node: modules and packages only where the row says so
 */
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, posix, relative, sep } from "node:path";
import { ROOT } from "./paths.mjs";

/** The longest matching folder decides. `nothing below` means the folder itself is always allowed. */
export const LAYERS = {
  "src/core/abi": { imports: [] },
  "src/core/sync": { imports: ["src/core/abi"] },
  "src/core/mm": { imports: ["src/core/sync", "src/core/abi"] },
  "src/core/task": { imports: ["src/core/mm", "src/core/sync", "src/core/abi"] },
  "src/core/hart": { imports: ["src/core/task", "src/core/mm", "src/core/sync", "src/core/abi"] },
  "src/core": { imports: ["src/core/hart", "src/core/task", "src/core/mm", "src/core/sync", "src/core/abi"] },
  "src/run/node": { imports: ["src/run", "src/core/abi"], node: true },
  "src/run": { imports: ["src/core/abi"] },
  "src/embed": { imports: ["src/run", "src/core/abi"] },
  "src/check": { imports: ["src/core/abi"], packages: ["pure-rand"] },
  "src/predict": { imports: ["src/core/abi"], packages: ["pure-rand"] },
  "src/claims": { imports: ["src/check", "src/predict", "src/core/abi"] },
  "src/cli": {
    imports: ["src/run", "src/check", "src/predict", "src/claims", "src/bench", "src/core/abi", "package.json"],
    node: true,
    packages: ["commander", "cli-table3", "echarts", "picocolors"],
  },
  "src/web": { imports: ["src/run", "src/check", "src/predict", "src/core/abi"] },
  "src/bench": { imports: ["src/embed", "src/run", "src/check", "src/core/abi"], node: true },
};

/** The broken rules of a set of files, one line each. `files`: path from the root → text. */
export function brokenRules(files) {
  const broken = [];
  for (const [path, text] of files) {
    const layer = layerOf(path);
    if (!layer) {
      broken.push(`${path}: no layer holds this folder (tools/check-layers.mjs)`);
      continue;
    }
    for (const specifier of importsOf(text)) {
      const complaint = complaintAbout(path, layer, specifier);
      if (complaint) broken.push(`${path}: ${complaint}`);
    }
  }
  return broken;
}

function complaintAbout(path, layer, specifier) {
  const rule = LAYERS[layer];
  if (!specifier.startsWith(".")) {
    if (specifier.startsWith("node:") || builtinModules.includes(specifier)) {
      return rule.node ? undefined : `${layer} may not import ${specifier}: only src/run/node and src/cli know Node`;
    }
    const allowed = rule.packages ?? [];
    if (allowed.includes(specifier.split("/")[0])) return undefined;
    return `${layer} may not import the package ${specifier}; allowed: ${allowed.join(", ") || "none"}`;
  }
  const target = posix.join(posix.dirname(path), specifier);
  const targetLayer = layerOf(target) ?? target;
  if (targetLayer === layer || rule.imports.includes(targetLayer)) return undefined;
  // A folder below an allowed one counts as it, but for the core's parts and the adapters, which have rows of their own.
  if (targetLayer === "src/run/node" && layer === "src/cli") return undefined;
  return `${layer} may not import ${targetLayer} (${specifier}); allowed: ${rule.imports.join(", ") || "nothing"}`;
}

function layerOf(path) {
  return Object.keys(LAYERS)
    .filter((layer) => path.startsWith(`${layer}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function importsOf(text) {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const found = [];
  for (const match of code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)"([^"\n]+)"/g)) found.push(match[1]);
  return found;
}

export function sourceFiles(folder = join(ROOT, "src")) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .map((file) => [relative(ROOT, file).split(sep).join("/"), readFileSync(file, "utf8")]);
}

if (process.argv[1]?.endsWith("check-layers.mjs")) {
  const broken = brokenRules(sourceFiles());
  for (const line of broken) process.stderr.write(`layers: ${line}\n`);
  process.exitCode = broken.length ? 1 : 0;
}
