/**
 * Turn the optimised core into the hooked core: every instruction that touches shared memory announces itself.
 *
 *   before                              after
 *   i32.atomic.store offset=8 (p) (v)   call $env.step(AtomicStore, p + 8, 4, site)   may unwind to another actor
 *                                       i32.atomic.store offset=8 (p) (v)
 *   memory.atomic.wait32 (p) (v) (t)    call $env.step(Wait, p, 4, site)
 *                                       call $env.wait(p, v, t, site)                 a blocking word of the scheduler
 *
 * Algorithm  1 flatten: operands become locals and constants, so nothing comes between a step and its instruction
 *            2 put the step before each access and number the site
 *            3 optimise (the steps are calls: no access moves across one)  4 asyncify from the imports that may switch
 * Promise    nothing is passed over: the walker refuses what it does not know; markers stay, as imports.
 * Why here   the rewrite starts from the optimised wasm, so what is checked is what ships.
 */
import binaryen from "binaryen";
import { definedFunctions, importedFunctions, rewriteModule } from "./wasm-walk.mjs";

/** Imports from which the scheduler may switch to another actor. `now` and `bug` return, or never do, at once. */
const SWITCHING = ["step", "wait", "pause", "rcuEnter", "rcuExit", "irqOff", "irqOn"];

/**
 * Rewrites the module in place. Returns the table of sites; a site's number is its place in the table. With `calls`, an
 * array to be filled, every call is put between `enter(number)` and `leave()`: whoever listens knows the chain of callers.
 */
export function hook(module, steps, calls = undefined) {
  const { i32, i64 } = binaryen;
  module.addFunctionImport("step", "env", "step", binaryen.createType([i32, i32, i32, i32]), binaryen.none);
  module.addFunctionImport("wait", "env", "wait", binaryen.createType([i32, i64, i64, i32, i32]), i32);
  if (calls) {
    module.addFunctionImport("enter", "env", "enter", i32, binaryen.none);
    module.addFunctionImport("leave", "env", "leave", binaryen.none, binaryen.none);
  }
  module.runPasses(["flatten"]);
  const sites = [];
  rewriteModule(module, (expression, instruction, functionName) => {
    if (calls) {
      const call = callIn(expression, instruction);
      if (call) return enclose(module, expression, calls.push({ function: functionName, ...call }) - 1);
    }
    const rewrite = ACCESSES[instruction];
    if (!rewrite) return expression;
    const announce = (kind, address, width, note) => {
      const bytes = isConst(width) ? binaryen.Const.getValueI32(width) : undefined;
      sites.push({ function: functionName, kind, instruction: note ?? instruction, bytes });
      return module.call(
        "step",
        [module.i32.const(steps[kind]), address, width, module.i32.const(sites.length - 1)],
        binaryen.none,
      );
    };
    return rewrite(module, expression, announce, () => sites.length - 1);
  });
  optimise(module);
  asyncify(module);
  return sites;
}

/** Flattened, a call stands alone, or is the value of a `local.set` or a `drop`. */
function callIn(expression, instruction) {
  let call = instruction === "Call" ? expression : 0;
  if (call && binaryen.getExpressionType(call) !== binaryen.none) return undefined;
  if (instruction === "LocalSet") call = binaryen.LocalSet.getValue(expression);
  if (instruction === "Drop") call = binaryen.Drop.getValue(expression);
  if (!call || binaryen.getExpressionId(call) !== binaryen.CallId) return undefined;
  const target = binaryen.Call.getTarget(call);
  return target === "wait" ? undefined : { target };
}

function enclose(module, expression, number) {
  const enter = module.call("enter", [module.i32.const(number)], binaryen.none);
  return module.block(null, [enter, expression, module.call("leave", [], binaryen.none)], binaryen.none);
}

/** How each instruction that touches shared memory is announced. */
const ACCESSES = {
  Load(module, expression, announce) {
    const { Load } = binaryen;
    const kind = Load.isAtomic(expression) ? "AtomicLoad" : "Load";
    return before(
      module,
      expression,
      announce(kind, ...place(module, Load, expression), `load${Load.getBytes(expression) * 8}`),
    );
  },
  Store(module, expression, announce) {
    const { Store } = binaryen;
    const kind = Store.isAtomic(expression) ? "AtomicStore" : "Store";
    return before(
      module,
      expression,
      announce(kind, ...place(module, Store, expression), `store${Store.getBytes(expression) * 8}`),
    );
  },
  AtomicRMW(module, expression, announce) {
    const note = `rmw.${RMW_NAMES[binaryen.AtomicRMW.getOp(expression)]}`;
    return before(module, expression, announce("AtomicRmw", ...place(module, binaryen.AtomicRMW, expression), note));
  },
  AtomicCmpxchg(module, expression, announce) {
    return before(
      module,
      expression,
      announce("AtomicCmpxchg", ...place(module, binaryen.AtomicCmpxchg, expression), "cmpxchg"),
    );
  },
  AtomicFence(module, expression, announce) {
    return before(module, expression, announce("Fence", module.i32.const(0), module.i32.const(0), "fence"));
  },
  AtomicNotify(module, expression, announce) {
    const address = sum(module, binaryen.AtomicNotify.getPtr(expression), printedOffset(expression));
    return before(module, expression, announce("Notify", address, module.i32.const(4), "notify"));
  },
  MemoryFill(module, expression, announce) {
    const { MemoryFill } = binaryen;
    const [dest, size] = [MemoryFill.getDest(expression), MemoryFill.getSize(expression)].map((part) =>
      again(module, part),
    );
    return before(module, expression, announce("Fill", dest, size, "fill"));
  },
  MemoryCopy(module, expression, announce) {
    const { MemoryCopy } = binaryen;
    const [dest, source] = [MemoryCopy.getDest(expression), MemoryCopy.getSource(expression)].map((part) =>
      again(module, part),
    );
    const size = () => again(module, MemoryCopy.getSize(expression));
    const reads = announce("CopyFrom", source, size(), "copy");
    return before(module, expression, reads, announce("CopyTo", dest, size(), "copy"));
  },
  AtomicWait(module, expression, announce, lastSite) {
    const { AtomicWait } = binaryen;
    const address = () => sum(module, AtomicWait.getPtr(expression), printedOffset(expression));
    const wide = AtomicWait.getExpectedType(expression) === binaryen.i64;
    const bytes = wide ? 8 : 4;
    const step = announce("Wait", address(), module.i32.const(bytes), `wait${bytes * 8}`);
    const expected = AtomicWait.getExpected(expression);
    const operands = [
      address(),
      wide ? expected : module.i64.extend_u(expected),
      AtomicWait.getTimeout(expression),
      module.i32.const(bytes),
      module.i32.const(lastSite()),
    ];
    return before(module, module.call("wait", operands, binaryen.i32), step);
  },
};

const RMW_NAMES = Object.fromEntries(
  ["Add", "Sub", "And", "Or", "Xor", "Xchg"].map((op) => [binaryen[`AtomicRMW${op}`], op.toLowerCase()]),
);

function place(module, wrapper, expression) {
  const bytes = module.i32.const(wrapper.getBytes(expression));
  return [sum(module, wrapper.getPtr(expression), wrapper.getOffset(expression)), bytes];
}

function sum(module, pointer, offset) {
  const base = again(module, pointer);
  return offset === 0 ? base : module.i32.add(base, module.i32.const(offset));
}

/** The interface has no getter for the offset of a wait or a notify; the text shows it. */
function printedOffset(expression) {
  const head = binaryen.emitText(expression).split("\n")[0];
  return Number(/ offset=(\d+)/.exec(head)?.[1] ?? 0);
}

function isConst(expression) {
  return binaryen.getExpressionId(expression) === binaryen.ConstId;
}

/** Flattened operands are locals or constants, which may be evaluated twice. */
function again(module, operand) {
  const id = binaryen.getExpressionId(operand);
  if (id !== binaryen.LocalGetId && id !== binaryen.ConstId) {
    throw new Error(`an operand was not flattened: ${binaryen.emitText(operand)}`);
  }
  return module.copyExpression(operand);
}

function before(module, expression, ...steps) {
  return module.block(null, [...steps, expression], binaryen.getExpressionType(expression));
}

function optimise(module) {
  for (const { ref } of definedFunctions(module)) module.runPassesOnFunction(ref, CLEANUP);
}

/** Undoes the flattening. None of these may move a memory access across a call, nor drop one. */
const CLEANUP = ["merge-blocks", "simplify-locals", "coalesce-locals", "reorder-locals", "vacuum"];

function asyncify(module) {
  const present = importedFunctions(module).map(({ base }) => base);
  const imports = SWITCHING.filter((name) => present.includes(name)).map((name) => `env.${name}`);
  binaryen.setOptimizeLevel(1);
  binaryen.setPassArgument("asyncify-imports", imports.join(","));
  binaryen.setPassArgument("asyncify-ignore-indirect", "1");
  module.runPasses(["asyncify"]);
  binaryen.setPassArgument("asyncify-imports", null);
  binaryen.setPassArgument("asyncify-ignore-indirect", null);
  for (const { ref } of definedFunctions(module)) module.runPassesOnFunction(ref, CLEANUP);
}
