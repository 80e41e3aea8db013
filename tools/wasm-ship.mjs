/**
 * Turn the optimised core into the shipping core: the same instructions, without the markers.
 *
 * Why       rcuEnter, rcuExit, irqOff and irqOn mark sections that have no instruction of their own. They are events for
 *           the checker and cost nothing here: each call becomes a drop of its operand, and the import goes.
 * Also      what only a checker calls goes too: `watched` tells it where things are, the host words play the host for it.
 * Promise   no memory access is added, removed or moved; only `vacuum` runs afterwards.
 */
import binaryen from "binaryen";
import { importedFunctions, rewriteModule } from "./wasm-walk.mjs";

export const MARKERS = ["rcuEnter", "rcuExit", "irqOff", "irqOn"];
const CHECKER_ONLY = ["watched", "hostLock", "hostUnlock", "hostCopy"];

export function ship(module) {
  const markers = new Set();
  for (const { name, base, results } of importedFunctions(module)) {
    if (!MARKERS.includes(base)) continue;
    if (results !== binaryen.none) throw new Error(`the marker ${base} must not return a value`);
    markers.add(name);
  }
  rewriteModule(module, (expression, kind) => {
    if (kind !== "Call" || !markers.has(binaryen.Call.getTarget(expression))) return expression;
    const drops = binaryen.Call.getOperands(expression).map((operand) => module.drop(operand));
    return drops.length === 1 ? drops[0] : module.block(null, drops);
  });
  for (const name of markers) module.removeFunction(name);
  module.runPasses(["vacuum"]);
  const exported = Array.from(
    { length: module.getNumExports() },
    (_, i) => binaryen.getExportInfo(module.getExportByIndex(i)).name,
  );
  if (exported.some((name) => CHECKER_ONLY.includes(name))) {
    for (const name of CHECKER_ONLY) module.removeExport(name);
    module.runPasses(["remove-unused-module-elements"]);
  }
  return module;
}
