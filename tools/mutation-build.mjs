/**
 * Builds mutants, many in one module: compiling takes seconds, and most mutants differ by an expression.
 *
 *   mutants ──no two overlap──▶ batches ──switched()──▶ one build, which imports the number of the mutant in force
 *           └─what declares names, or does not compile with others──▶ alone
 *
 * Promise    a build whose number is NONE is the core itself: the run hunts it too, and it must survive.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildReplaced } from "./build-twin.mjs";
import { mutated, switchable, switched } from "./mutants.mjs";
import { ROOT } from "./paths.mjs";

export const FOLDER = join(ROOT, "build/mutation");
export const NONE = -1;

/** Sets of mutants of which none lies in another. */
export function batchesOf(mutants) {
  const batches = [];
  for (const mutant of mutants) {
    const room = switchable(mutant) && batches.find((batch) => batch.every((other) => apart(mutant, other)));
    if (room) room.push(mutant);
    else batches.push(Object.assign([mutant], { alone: !switchable(mutant) }));
  }
  return batches;
}

function apart(a, b) {
  return switchable(b) && (a.file !== b.file || a.end <= b.start || b.end <= a.start);
}

/** Builds batches into FOLDER. Returns a map from a mutant's number to its build's name, or to a complaint. */
export async function buildBatches(mutants, name, patches, told = () => {}) {
  const places = new Map();
  const build = async (batch, at) => {
    try {
      const alone = batch.length === 1;
      save(at, await buildReplaced(alone ? new Map([[batch[0].file, mutated(batch[0])]]) : filesOf(batch), patches));
      for (const { number } of batch) places.set(number, { build: at, alone });
      told(`${at}: ${batch.length} mutants`);
    } catch (thrown) {
      if (batch.length === 1) {
        places.set(batch[0].number, { complaint: `${thrown?.message ?? thrown}`.replace(/\s+/g, " ").slice(0, 300) });
        return;
      }
      const half = batch.length >> 1;
      await build(batch.slice(0, half), `${at}a`);
      await build(batch.slice(half), `${at}b`);
    }
  };
  let i = 0;
  for (const batch of batchesOf(mutants)) await build(batch, `${name}-${i++}`);
  return places;
}

function filesOf(batch) {
  const files = new Map();
  for (const { file } of batch) {
    if (!files.has(file))
      files.set(
        file,
        switched(
          file,
          batch.filter((mutant) => mutant.file === file),
        ),
      );
  }
  return files;
}

export function save(name, { hooked, core, sites }) {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, `${name}.hooked.wasm`), hooked);
  writeFileSync(join(FOLDER, `${name}.core.wasm`), core);
  writeFileSync(join(FOLDER, `${name}.sites.json`), JSON.stringify(sites));
}

/** A build as the checker takes it, with mutant `number` in force. */
export function load(name, number) {
  const at = (part) => readFileSync(join(FOLDER, `${name}.${part}`));
  return {
    hooked: new WebAssembly.Module(at("hooked.wasm")),
    core: new WebAssembly.Module(at("core.wasm")),
    sites: JSON.parse(at("sites.json").toString()),
    constants: { mutant: number },
  };
}
