/** tools/fpu-oracle.mjs: holds the floating-point routines against qemu-riscv64.
 *
 *      node tools/fpu-oracle.mjs check [count] [seed]     compare `count` cases; exit 1 and show the first differences
 *      node tools/fpu-oracle.mjs specials                 the same for every combination of special values
 *      node tools/fpu-oracle.mjs write                    write test/vectors/fpu.json, for machines without qemu
 *
 *  Needs riscv64-linux-gnu-gcc and qemu-riscv64-static (or qemu-riscv64). Each case runs twice: with fflags clear,
 *  where every flag must match, and with NX raised beforehand, which opens the native fast paths.                   */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cases, operations, specialCases } from "./fpu-cases.mjs";
import { answer, compileFpu } from "./fpu-wasm.mjs";
import { ROOT } from "./paths.mjs";

const BATCH = 100_000;
const VECTORS_PER_OPERATION = 75;

const [command, count = "200000", seed = "1"] = process.argv.slice(2);
if (command === "check") await check(batches(Number(count), Number(seed)));
else if (command === "specials") await check([[...specialCases()]]);
else if (command === "write") writeVectors();
else {
  console.error("usage: node tools/fpu-oracle.mjs check [count] [seed] | specials | write");
  process.exitCode = 1;
}

function* batches(total, firstSeed) {
  for (let done = 0; done < total; done += BATCH) {
    yield [...cases(firstSeed + done / BATCH, Math.min(BATCH, total - done))];
  }
}

async function check(queue) {
  const fpu = await compileFpu();
  let total = 0;
  let wrong = 0;
  for (const batch of queue) {
    const expected = askOracle(batch);
    total += batch.length;
    batch.forEach((one, i) => {
      for (const preset of [0, 1]) {
        const ours = answer(fpu, one, preset);
        const theirs = { result: expected[i].result, flags: expected[i].flags | preset };
        if (ours.result === theirs.result && ours.flags === theirs.flags) continue;
        if (wrong++ < 20) console.error(describe(one, preset, ours, theirs));
      }
    });
  }
  console.log(`${total} cases, each with NX clear and raised: ${wrong} differences`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

/** One string a case, "rm a b c result flags", hexadecimal, under its operation's name. */
function writeVectors() {
  const batch = [...cases(2026, VECTORS_PER_OPERATION * operations.length)];
  const expected = askOracle(batch);
  const vectors = Object.fromEntries(operations.map(({ name }) => [name, []]));
  batch.forEach(({ operation, rm, a, b, c }, i) => {
    const { name, arity } = operations[operation];
    const numbers = [rm, ...[a, b, c].slice(0, arity), expected[i].result, expected[i].flags];
    vectors[name].push(numbers.map((n) => n.toString(16)).join(" "));
  });
  writeFileSync(join(ROOT, "test", "vectors", "fpu.json"), `${JSON.stringify(vectors, null, 1)}\n`);
}

function askOracle(batch) {
  const folder = mkdtempSync(join(tmpdir(), "fpu-oracle-"));
  try {
    const program = join(folder, "oracle");
    const source = join(ROOT, "test", "oracle", "fpu-oracle.c");
    execFileSync("riscv64-linux-gnu-gcc", ["-O2", "-static", "-o", program, source]);
    const input = Buffer.alloc(batch.length * 32);
    batch.forEach(({ operation, rm, a, b, c }, i) => {
      input.writeUInt32LE(operation, i * 32);
      input.writeUInt32LE(rm, i * 32 + 4);
      for (const [j, bits] of [a, b, c].entries()) input.writeBigUInt64LE(bits, i * 32 + 8 + j * 8);
    });
    const output = runOracle(program, input);
    return batch.map((_, i) => ({
      result: output.readBigUInt64LE(i * 16),
      flags: Number(output.readBigUInt64LE(i * 16 + 8)),
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runOracle(program, input) {
  for (const qemu of ["qemu-riscv64-static", "qemu-riscv64"]) {
    const { status, stdout } = spawnSync(qemu, [program], { input, maxBuffer: input.length });
    if (status === 0 && stdout.length === input.length / 2) return stdout;
  }
  throw new Error("the oracle did not run: is qemu-riscv64-static installed?");
}

function describe({ operation, rm, a, b, c }, preset, ours, theirs) {
  const hex = (n) => n.toString(16);
  const operands = [a, b, c].slice(0, operations[operation].arity).map(hex).join(" ");
  const show = ({ result, flags }) => `${hex(result)} flags ${hex(flags)}`;
  return `${operations[operation].name} rm ${rm} NX ${preset}: ${operands} -> ${show(ours)}, expected ${show(theirs)}`;
}
