/** tools/fpu-wasm.mjs: compiles src/core/hart/fpu alone and calls its functions with a case (fpu-cases.mjs).
 *
 *  Answers are what the instruction would leave in the registers: { result: BigInt of 64 bits, flags }. A single's
 *  result is its 32 bits, a 32-bit integer's is sign-extended.                                                       */

import { join } from "node:path";
import { compile } from "./build-core.mjs";
import { operations } from "./fpu-cases.mjs";
import { ROOT } from "./paths.mjs";

const FCSR = 64;

/** The exports of the compiled folder, as the core's flags make it, and its memory. */
export async function compileFpu() {
  const { binary } = await compile(join(ROOT, "src", "core", "hart", "fpu", "index.ts"));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  return { ...instance.exports, memory };
}

/** Runs one case with `preset` in fflags beforehand; flags are those in the word afterwards. */
export function answer(fpu, { operation, rm, a, b, c }, preset) {
  const { name, family, width, arity, shape } = operations[operation];
  const fcsr = new DataView(fpu.memory.buffer);
  fcsr.setUint32(FCSR, preset | (rm << 5), true);
  const operands = [a, b, c].slice(0, arity).map((bits) => toArgument(family, width, bits));
  const parameters = shape === "fm" ? [FCSR, ...operands, rm] : shape === "f" ? [FCSR, ...operands] : operands;
  const result = fpu[name](...parameters);
  return { result: toRegister(family, result), flags: fcsr.getUint32(FCSR, true) & 31 };
}

function toArgument(family, width, bits) {
  const wide = family.startsWith("From") ? family.endsWith("64") : width === 64;
  return wide ? BigInt.asIntN(64, bits) : Number(BigInt.asIntN(32, bits));
}

function toRegister(family, result) {
  if (typeof result === "bigint") return BigInt.asUintN(64, result);
  const integer = family === "ToI32" || family === "ToU32";
  return BigInt.asUintN(integer ? 64 : 32, BigInt(result));
}
