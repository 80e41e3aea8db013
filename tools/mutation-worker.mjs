/**
 * One process of the mutation run: builds the mutants it is sent, hunts each, answers with what became of it.
 *
 *   in    {mutant, milliseconds}          out   {began: text} …, then {outcome, kill?, reason?, ms}
 *
 * Outcomes   killed; survived; same: the compiler makes the very same code of it, so there is nothing to find; not built: the
 *            compiler or the refuser (tools/wasm-refuse.mjs) does not take it; fault: the checker itself failed on it.
 */
import { pathToFileURL } from "node:url";
import { buildMutant } from "./build-twin.mjs";
import { mutated } from "./mutants.mjs";

const { hunt, huntVariant, variantFor } = await import(pathToFileURL(process.argv[2]).href);
const originals = new Map();

process.on("message", async ({ mutant, milliseconds }) => {
  const started = performance.now();
  const result = await outcomeOf(mutant, milliseconds);
  process.send({ ...result, ms: Math.round(performance.now() - started) });
});

async function outcomeOf(mutant, milliseconds) {
  try {
    const original = await originalOf([]);
    const first = await built(mutant, [], original);
    if (first.outcome) return first;
    const kill = hunt(first.build, mutant.file, milliseconds, began);
    if (kill) return { outcome: "killed", kill };
    const variant = variantFor(mutant.file);
    if (!variant) return { outcome: "survived" };
    began("building the variant");
    const second = await built(mutant, variant.patches, await originalOf(variant.patches));
    const later = second.build && huntVariant(second.build, variant.layout, milliseconds, began);
    return later ? { outcome: "killed", kill: later } : { outcome: "survived" };
  } catch (thrown) {
    return { outcome: "fault", reason: `${thrown?.stack ?? thrown}` };
  }
}

async function built(mutant, patches, original) {
  began("building");
  let linked;
  try {
    linked = await buildMutant(mutant.file, mutated(mutant), patches);
  } catch (thrown) {
    return { outcome: "not built", reason: `${thrown?.message ?? thrown}`.slice(0, 300) };
  }
  const { hooked, core, sites } = linked;
  if (Buffer.from(hooked).equals(original)) return { outcome: "same" };
  return { build: { hooked: new WebAssembly.Module(hooked), core: new WebAssembly.Module(core), sites } };
}

async function originalOf(patches) {
  const key = JSON.stringify(patches);
  if (!originals.has(key)) {
    began("building");
    originals.set(key, Buffer.from((await buildMutant("index.ts", mutated(NOTHING), patches)).hooked));
  }
  return originals.get(key);
}

function began(what) {
  process.send({ began: what });
}

const NOTHING = { file: "index.ts", start: 0, end: 0, after: "" };
process.send({ began: "ready" });
