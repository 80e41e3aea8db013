/**
 * Build the core: one AssemblyScript source, two modules.
 *
 *   src/core/index.ts ──asc -O3──▶ core.raw.wasm ──refuse──┬─ship─▶ core.wasm      without markers, for workers
 *                                                          └─hook─▶ hooked.wasm    every access announced, asyncified
 *                                                                   sites.json     what and where each announced site is
 *
 *   src/core ──constants──▶ layout.json   where each field of each record lies
 *
 * Promise    both modules hold the same memory accesses in the same order; a core that would lie to an engine is
 *            refused (tools/wasm-refuse.mjs). Features are named, so Node 20 accepts what comes out.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import asc from "assemblyscript/asc";
import binaryen from "binaryen";
import { transformSync } from "esbuild";
import { coreLayout } from "./core-layout.mjs";
import { ROOT } from "./paths.mjs";
import { hook } from "./wasm-hook.mjs";
import { placeSites } from "./wasm-places.mjs";
import { refuse } from "./wasm-refuse.mjs";
import { ship } from "./wasm-ship.mjs";
import { definedFunctions, FEATURES } from "./wasm-walk.mjs";
import { placeWords } from "./wasm-words.mjs";

const ASC_FLAGS = [
  "--runtime",
  "stub",
  "-O3",
  "--converge",
  "--importMemory",
  "--sharedMemory",
  "--initialMemory",
  "1",
  "--maximumMemory",
  "65536",
  "--enable",
  "threads,bulk-memory,sign-extension,nontrapping-f2i",
  "--debug",
];

export class CompileError extends Error {}

/** Compiles an AssemblyScript entry file with the core's flags to optimised wasm, markers and names included. */
export async function compile(entry, { flags = [] } = {}) {
  let binary;
  let map;
  let messages = "";
  const sink = {
    write: (text) => {
      messages += text;
      return true;
    },
  };
  const baseDir = dirname(resolve(entry));
  const { error } = await asc.main(
    [resolve(entry), "--baseDir", baseDir, "-o", "core.wasm", "--sourceMap", ...ASC_FLAGS, ...flags],
    {
      stdout: sink,
      stderr: sink,
      writeFile: (name, contents) => {
        if (name.endsWith(".wasm")) binary = contents;
        if (name.endsWith(".map")) map = contents;
      },
    },
  );
  if (error || !binary) throw new CompileError(`${entry}: ${messages.trim() || error?.message}`);
  return { binary: withoutLink(binary), map, messages };
}

/** The binary without the name of its source map, which stays here. It is the last section, so nothing moves. */
function withoutLink(binary) {
  const name = new TextEncoder().encode("sourceMappingURL");
  const tail = Buffer.from(binary.buffer, binary.byteOffset, binary.byteLength);
  // The section is: 0, its length (one byte, for it is short), the length of the name, the name.
  const at = tail.lastIndexOf(name) - 3;
  if (at < 0 || binary[at] !== 0 || at + 2 + binary[at + 1] !== binary.length)
    throw new Error("the source map's name is not last");
  return binary.slice(0, at);
}

/**
 * From optimised wasm to the modules of the engines. Throws RefusedCore for a core that would lie to one of them. With its
 * source map, each site gets its place in the source.
 */
export function link(raw, map) {
  binaryen.setDebugInfo(true);
  const shipping = read(raw);
  refuse(shipping);
  const core = emit(ship(shipping));
  const hooking = read(raw);
  const names = definedFunctions(hooking).map(({ info }) => info.name);
  const sites = hook(hooking, stepKinds());
  if (map) placeSites(sites, { binary: raw, map, names });
  return { core, hooked: emit(hooking), sites };
}

/**
 * From wasm that was not optimised, so not inlined, to the told core: hooked, with its calls announced. It is never judged;
 * a failing execution is run on it again, to tell who called the function that did each step.
 */
export function linkTold(raw, map) {
  binaryen.setDebugInfo(true);
  const module = read(raw);
  const names = definedFunctions(module).map(({ info }) => info.name);
  const calls = [];
  const sites = hook(module, stepKinds(), calls);
  placeSites(sites, { binary: raw, map, names, calls });
  return { told: emit(module), sites, calls };
}

function read(bytes) {
  const module = binaryen.readBinary(bytes, FEATURES);
  module.setFeatures(FEATURES);
  return placeWords(module);
}

function emit(module) {
  if (!module.validate()) throw new Error("the rewritten core is not valid WebAssembly");
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

/** The step kinds, read from the one place where they are written. */
function stepKinds() {
  const source = readFileSync(join(ROOT, "src/core/abi/step.ts"), "utf8");
  const { code } = transformSync(source, { loader: "ts", format: "cjs" });
  const holder = { exports: {} };
  new Function("module", "exports", code)(holder, holder.exports);
  return holder.exports.Step;
}

/** Builds the core into a directory; core.wasm and hooked.wasm come from the same compilation. */
export async function buildCore({ entry = join(ROOT, "src/core/index.ts"), out = join(ROOT, "build") } = {}) {
  mkdirSync(out, { recursive: true });
  const { binary, map, messages } = await compile(entry);
  if (messages.trim()) process.stderr.write(`${messages.trim()}\n`);
  const { core, hooked, sites } = link(binary, map);
  writeFileSync(join(out, "core.raw.wasm"), binary);
  writeFileSync(join(out, "core.wasm"), core);
  writeFileSync(join(out, "hooked.wasm"), hooked);
  writeFileSync(join(out, "sites.json"), JSON.stringify(sites));
  writeFileSync(join(out, "layout.json"), JSON.stringify(coreLayout()));
  return { raw: binary.length, core: core.length, hooked: hooked.length, sites: sites.length };
}

if (process.argv[1] === import.meta.filename || process.argv[1]?.endsWith("build-core.mjs")) {
  const started = performance.now();
  const sizes = await buildCore();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stderr.write(
    `core ${sizes.core} bytes, hooked ${sizes.hooked} bytes with ${sizes.sites} sites, in ${seconds} s\n`,
  );
}
