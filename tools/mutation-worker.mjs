/**
 * One process of the mutation run: hunts the mutants it is sent, answers with what became of each.
 *
 *   in    {mutant, place, variantPlace?, milliseconds}      out   {began: text} …, then {outcome, kill?, reason?, ms}
 *
 * Outcomes   killed; survived; same: the compiler makes the very same code of it, so there is nothing to find; not built: the
 *            compiler or the refuser (tools/wasm-refuse.mjs) does not take it; fault: the checker itself failed on it.
 */
import { pathToFileURL } from "node:url";
import { compileReplaced } from "./build-twin.mjs";
import { mutated } from "./mutants.mjs";
import { load } from "./mutation-build.mjs";

const { hunt, huntVariant, variantFor } = await import(pathToFileURL(process.argv[2]).href);
let original;

process.on("message", async (order) => {
  const started = performance.now();
  const result = await outcomeOf(order);
  process.send({ ...result, ms: Math.round(performance.now() - started) });
});

async function outcomeOf({ mutant, place, variantPlace, milliseconds }) {
  if (place.complaint) return { outcome: "not built", reason: place.complaint };
  try {
    const kill =
      hunt(load(place.build, mutant.number), mutant.file, milliseconds, began) ??
      (variantPlace?.build &&
        huntVariant(load(variantPlace.build, mutant.number), variantFor(mutant.file), milliseconds, began));
    if (kill) return { outcome: "killed", kill };
    if (mutant.number >= 0 && (await isSame(mutant))) return { outcome: "same" };
    return { outcome: "survived" };
  } catch (thrown) {
    return { outcome: "fault", reason: `${thrown?.stack ?? thrown}` };
  }
}

/** Whether the compiler makes of the mutant what it makes of the core. */
async function isSame(mutant) {
  began("building");
  original ??= await compileReplaced(new Map());
  return original.equals(await compileReplaced(new Map([[mutant.file, mutated(mutant)]])));
}

function began(what) {
  process.send({ began: what });
}

process.send({ began: "ready" });
