/**
 * Put instructions where the core calls the imports `fence` and `waitWord`.
 *
 *   fence()                 ─▶ atomic.fence, in place. asc 0.28.20 takes it for an unordered fence: it refuses it, or,
 *                              unvalidated, optimises it away; a call to an import is an effect that it keeps.
 *   waitWord(addr, seen, ns) ─▶ a call of a function that holds memory.atomic.wait32 and nothing else, made after every
 *                              optimisation so that none inlines it. The baseline compiler of V8 11.3 (Node 20) loses
 *                              the locals of the function that waits: after the wait its address reads as 0.
 * Promise   no other instruction changes, and the imports go.
 */
import binaryen from "binaryen";
import { importedFunctions, rewriteModule } from "./wasm-walk.mjs";

const { i32, i64, none } = binaryen;

export function placeWords(module) {
  const words = new Map(importedFunctions(module).map(({ name, base }) => [name, base]));
  const wanted = new Map([...words].filter(([, base]) => base === "fence" || base === "waitWord"));
  if (wanted.size === 0) return module;
  rewriteModule(module, (expression, kind) => {
    const base = kind === "Call" ? wanted.get(binaryen.Call.getTarget(expression)) : undefined;
    if (base === "fence") return module.atomic.fence();
    if (base === "waitWord") return module.call("wait-word", binaryen.Call.getOperands(expression), none);
    return expression;
  });
  for (const [name, base] of wanted) {
    module.removeFunction(name);
    if (base === "waitWord") addWait(module);
  }
  return module;
}

function addWait(module) {
  const operands = [module.local.get(0, i32), module.local.get(1, i32), module.local.get(2, i64)];
  const wait = module.memory.atomic.wait32(...operands);
  module.addFunction("wait-word", binaryen.createType([i32, i32, i64]), none, [], module.drop(wait));
}
