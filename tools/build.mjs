/**
 * Build what is missing or older than its sources.
 *
 *   core   src/core, the core's build tools   ─▶ build/core.raw.wasm core.wasm hooked.wasm sites.json layout.json
 *   dist   src                                ─▶ build/dist/main.js, embed.js, and a file for each *worker.ts of WORKERS
 *
 * Promise    a target is rebuilt exactly when the hash of its sources' names and contents differs from its stamp; each
 *            output appears whole (built aside, then renamed), its stamp last. Messages go to stderr only.
 * Locks      the caller holds the set-up lock (tools/setup.mjs); run by itself, this file takes it.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join, relative } from "node:path";
import { ROOT } from "./paths.mjs";

const BUILD = join(ROOT, "build");
const CORE_TOOLS = [
  "build-core",
  "wasm-walk",
  "wasm-words",
  "wasm-refuse",
  "wasm-ship",
  "wasm-hook",
  "wasm-places",
].map((name) => `tools/${name}.mjs`);

/** Folders whose files named *worker.ts are bundles of their own. */
const WORKERS = ["src/run/node", "src/bench", "src/cli/check", "src/cli/predict"];

const TARGETS = [
  {
    name: "core",
    sources: ["src/core", ...CORE_TOOLS, "package-lock.json"],
    outputs: () => ["core.raw.wasm", "core.wasm", "hooked.wasm", "sites.json", "layout.json"],
    build: async (out) => (await import("./build-core.mjs")).buildCore({ out }),
  },
  {
    name: "dist",
    sources: ["src", "tools/build.mjs", "package.json", "package-lock.json"],
    outputs: () => Object.keys(entryPoints()).map((name) => `dist/${name}.js`),
    build: bundle,
  },
];

/** The targets whose outputs are missing or older than their sources. */
export function staleTargets() {
  return TARGETS.filter((target) => stampOf(target) !== fingerprint(target) || missesOutput(target));
}

export async function build(say) {
  for (const target of staleTargets()) {
    const started = performance.now();
    say(`building ${target.name}`);
    const stamp = fingerprint(target);
    mkdirSync(BUILD, { recursive: true });
    const aside = mkdtempSync(join(BUILD, `.${target.name}-`));
    try {
      await target.build(aside);
      for (const output of target.outputs()) {
        mkdirSync(join(BUILD, output, ".."), { recursive: true });
        renameSync(join(aside, output), join(BUILD, output));
      }
      const stampFile = join(aside, "stamp");
      writeFileSync(stampFile, stamp);
      renameSync(stampFile, stampPath(target));
    } finally {
      rmSync(aside, { recursive: true, force: true });
    }
    say(`built ${target.name} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
}

async function bundle(out) {
  const { build: esbuild } = await import("esbuild");
  await esbuild({
    entryPoints: entryPoints(),
    absWorkingDir: ROOT,
    outdir: join(out, "dist"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    sourcemap: "inline",
    sourcesContent: false,
    logLevel: "warning",
  });
}

function entryPoints() {
  const entries = { main: "src/cli/main.ts", embed: "src/embed/index.ts" };
  for (const folder of WORKERS) {
    for (const file of readdirSync(join(ROOT, folder))) {
      if (file.endsWith("worker.ts")) entries[basename(file, ".ts")] = `${folder}/${file}`;
    }
  }
  return entries;
}

function missesOutput(target) {
  return target.outputs().some((output) => !existsSync(join(BUILD, output)));
}

function stampPath(target) {
  return join(BUILD, `${target.name}.stamp`);
}

function stampOf(target) {
  return existsSync(stampPath(target)) ? readFileSync(stampPath(target), "utf8") : "";
}

function fingerprint(target) {
  const hash = createHash("sha256");
  for (const source of target.sources) {
    for (const file of filesOf(join(ROOT, source))) {
      hash
        .update(`${relative(ROOT, file)}\0`)
        .update(readFileSync(file))
        .update("\0");
    }
  }
  return hash.digest("hex");
}

function filesOf(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}
