import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { type Case, cases, operations } from "../tools/fpu-cases.mjs";
import { answer, compileFpu, type Fpu } from "../tools/fpu-wasm.mjs";

const INEXACT = 1;
const ALL_FLAGS = 31;
const vectorFile = new URL("./vectors/fpu.json", import.meta.url);
const oracleTool = fileURLToPath(new URL("../tools/fpu-oracle.mjs", import.meta.url));
const vectors: Record<string, string[]> = JSON.parse(readFileSync(vectorFile, "utf8"));

let fpu: Fpu;
beforeAll(async () => {
  fpu = await compileFpu();
}, 180_000);

describe("results and flags recorded from a riscv64 CPU", () => {
  test.each(operations.map(({ name }, operation) => ({ name, operation })))("$name", ({ name, operation }) => {
    for (const line of vectors[name]) {
      const { one, result, flags } = parse(operation, line);
      for (const preset of [0, INEXACT]) {
        expect(shown(answer(fpu, one, preset)), `${line}, fflags ${preset} before`).toBe(
          shown({ result, flags: flags | preset }),
        );
      }
    }
  });
});

test("the native fast paths and the integer ones agree", () => {
  const differences = [];
  for (const one of cases(4711, 40_000)) {
    const exact = answer(fpu, one, 0);
    const fast = answer(fpu, one, INEXACT);
    if (fast.result !== exact.result || fast.flags !== (exact.flags | INEXACT)) differences.push({ one, exact, fast });
  }
  expect(differences).toEqual([]);
});

test("flags raised before an operation stay raised, and the rounding mode in fcsr is left alone", () => {
  for (const one of cases(99, 2_000)) {
    expect(answer(fpu, one, ALL_FLAGS).flags).toBe(ALL_FLAGS);
    expect(new DataView(fpu.memory.buffer).getUint32(64, true) >> 5).toBe(one.rm);
  }
});

test("a single in a register reads as the canonical NaN unless 32 one bits stand above it", () => {
  expect(BigInt.asUintN(64, fpu.boxS(0x3f800000))).toBe(0xffffffff3f800000n);
  expect(fpu.unboxS(0xffffffff3f800000n)).toBe(0x3f800000);
  expect(fpu.unboxS(0xfffffffe3f800000n)).toBe(0x7fc00000);
  expect(fpu.unboxS(0x3f800000n)).toBe(0x7fc00000);
  expect(fpu.unboxS(0xffffffff7f800001n)).toBe(0x7f800001);
});

test.skipIf(!canAskOracle())("random hard cases match qemu-riscv64", { timeout: 360_000 }, () => {
  const seed = 1 + Math.floor(Math.random() * 1e6);
  const { status, stdout, stderr } = spawnSync(process.execPath, [oracleTool, "check", "50000", `${seed}`], {
    encoding: "utf8",
  });
  expect(status, `seed ${seed}\n${stdout}${stderr}`).toBe(0);
});

function parse(operation: number, line: string): { one: Case; result: bigint; flags: number } {
  const [rm, ...numbers] = line.split(" ").map((digits) => BigInt(`0x${digits}`));
  const { arity } = operations[operation];
  const [a, b = 0n, c = 0n] = numbers.slice(0, arity);
  return { one: { operation, rm: Number(rm), a, b, c }, result: numbers[arity], flags: Number(numbers[arity + 1]) };
}

function shown({ result, flags }: { result: bigint; flags: number }): string {
  return `${result.toString(16)} flags ${flags.toString(16)}`;
}

function canAskOracle(): boolean {
  const works = (tool: string) => spawnSync(tool, ["--version"]).status === 0;
  return works("riscv64-linux-gnu-gcc") && (works("qemu-riscv64-static") || works("qemu-riscv64"));
}
