/**
 * Put the fence instruction where the core calls the import `fence`.
 *
 * Why       asc 0.28.20 takes atomic.fence for an unordered one: it refuses it, or, unvalidated, optimises it away. A call
 *           to an import is an effect that it keeps in place.
 * Promise   every call becomes one sequentially consistent atomic.fence, and the import goes.
 */
import binaryen from "binaryen";
import { importedFunctions, rewriteModule } from "./wasm-walk.mjs";

export function placeFences(module) {
  const word = importedFunctions(module).find(({ base }) => base === "fence");
  if (!word) return module;
  rewriteModule(module, (expression, kind) => {
    const isWord = kind === "Call" && binaryen.Call.getTarget(expression) === word.name;
    return isWord ? module.atomic.fence() : expression;
  });
  module.removeFunction(word.name);
  return module;
}
