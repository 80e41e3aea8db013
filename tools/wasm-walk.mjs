/**
 * Walk and rewrite the expressions of a wasm module.
 *
 * What      `rewriteModule(module, visit)` calls `visit(expression, kind, fn)` on every expression, operands first, and
 *           puts what it returns in its place.
 * Promise   no instruction is passed over: one that is not in the table below stops the build, so nothing that touches
 *           memory can slip by because this file had never heard of it.
 * Why       Binaryen's JavaScript interface reads and sets operands but has no walker of its own.
 */
import binaryen from "binaryen";

/** Features of the core, by name: with all of them on, Node 20 rejects what Binaryen writes. */
export const FEATURES =
  binaryen.Features.Atomics |
  binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt |
  binaryen.Features.SignExt |
  binaryen.Features.NontrappingFPToInt |
  binaryen.Features.MutableGlobals;

/** Each instruction the core may contain: its wrapper class, then the names of its operands ("*": a list). */
const SHAPES = [
  ["Nop", []],
  ["Block", ["*child"]],
  ["If", ["condition", "ifTrue", "ifFalse"]],
  ["Loop", ["body"]],
  ["Break", ["value", "condition"]],
  ["Switch", ["value", "condition"]],
  ["Call", ["*operand"]],
  ["CallIndirect", ["*operand", "target"]],
  ["LocalGet", []],
  ["LocalSet", ["value"]],
  ["GlobalGet", []],
  ["GlobalSet", ["value"]],
  ["Load", ["ptr"]],
  ["Store", ["ptr", "value"]],
  ["AtomicRMW", ["ptr", "value"]],
  ["AtomicCmpxchg", ["ptr", "expected", "replacement"]],
  ["AtomicWait", ["ptr", "expected", "timeout"]],
  ["AtomicNotify", ["ptr", "notifyCount"]],
  ["AtomicFence", []],
  ["MemoryCopy", ["dest", "source", "size"]],
  ["MemoryFill", ["dest", "value", "size"]],
  ["Const", []],
  ["Unary", ["value"]],
  ["Binary", ["left", "right"]],
  ["Select", ["ifTrue", "ifFalse", "condition"]],
  ["Drop", ["value"]],
  ["Return", ["value"]],
  ["MemorySize", []],
  ["Unreachable", []],
];

const shapeById = new Map();
for (const [name, operands] of SHAPES) {
  const wrapper = binaryen[name];
  const accessors = operands.map((operand) => accessor(wrapper, operand));
  shapeById.set(binaryen[`${name}Id`], { name, accessors });
}

function accessor(wrapper, operand) {
  const many = operand.startsWith("*");
  const word = capital(many ? operand.slice(1) : operand);
  if (!many) return { get: wrapper[`get${word}`], set: wrapper[`set${word}`] };
  const count = wrapper[`getNum${word === "Child" ? "Children" : `${word}s`}`];
  return { count, getAt: wrapper[`get${word}At`], setAt: wrapper[`set${word}At`] };
}

function capital(word) {
  return word[0].toUpperCase() + word.slice(1);
}

/** The defined (not imported) functions of a module. */
export function definedFunctions(module) {
  const functions = [];
  for (let i = 0; i < module.getNumFunctions(); i++) {
    const ref = module.getFunctionByIndex(i);
    const info = binaryen.getFunctionInfo(ref);
    if (!info.base) functions.push({ ref, info });
  }
  return functions;
}

/** The imported functions of a module. */
export function importedFunctions(module) {
  const imports = [];
  for (let i = 0; i < module.getNumFunctions(); i++) {
    const info = binaryen.getFunctionInfo(module.getFunctionByIndex(i));
    if (info.base) imports.push(info);
  }
  return imports;
}

export function rewriteModule(module, visit) {
  for (const { ref, info } of definedFunctions(module)) {
    const body = rewrite(info.body, visit, info.name);
    if (body !== info.body) binaryen.Function.setBody(ref, body);
  }
}

function rewrite(expression, visit, functionName) {
  const shape = shapeById.get(binaryen.getExpressionId(expression));
  if (!shape) {
    const text = binaryen.emitText(expression).split("\n")[0].trim();
    throw new Error(`${functionName}: the build does not know the instruction "${text}"`);
  }
  for (const operand of shape.accessors) {
    if (operand.count) {
      const count = operand.count(expression);
      for (let i = 0; i < count; i++) {
        const before = operand.getAt(expression, i);
        const after = rewrite(before, visit, functionName);
        if (after !== before) operand.setAt(expression, i, after);
      }
      continue;
    }
    const before = operand.get(expression);
    if (!before) continue;
    const after = rewrite(before, visit, functionName);
    if (after !== before) operand.set(expression, after);
  }
  return visit(expression, shape.name, functionName);
}
