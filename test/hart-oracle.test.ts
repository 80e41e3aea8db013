/**
 * The hart against qemu-riscv64: every half-word, words of every major opcode, and sequences of both. Committed are
 * hashes of what the oracle left; where the oracle is at hand, fresh sequences are compared register by register.
 *
 * HART_RECORD=1 writes the hashes anew (needs qemu-riscv64 and riscv64-linux-gnu-gcc).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { explain, freshSequences, GROUPS, type Group, hashes } from "./support/hart-cases";
import { findOracle, HartMachine } from "./support/hart-machine";

const VECTORS = new URL("./vectors/hart.json", import.meta.url);
const BATCH = 4096;
const record = process.env.HART_RECORD === "1";
const oracle = findOracle();

/** Compares with the oracle case by case; returns what it left. */
function compare(group: Group, hart: HartMachine): Uint8Array[] {
  const all: Uint8Array[] = [];
  const differ: string[] = [];
  for (let from = 0; from < group.count; from += BATCH) {
    const cases = Array.from({ length: Math.min(BATCH, group.count - from) }, (_, i) => group.make(from + i));
    const wants = oracle!(cases);
    wants.forEach((want, i) => {
      const got = hart.run(cases[i]);
      if (Buffer.compare(want, got) !== 0 && differ.push(`${from + i}: ${explain(cases[i], want, got)}`) > 20) {
        throw new Error(differ.join("\n"));
      }
    });
    all.push(...wants);
  }
  expect(differ.join("\n")).toBe("");
  return all;
}

if (record) {
  test("record", { timeout: 600_000 }, () => {
    const hart = new HartMachine();
    const out: Record<string, string[]> = {};
    for (const group of GROUPS) out[group.name] = hashes(compare(group, hart), group.perHash);
    writeFileSync(VECTORS, `${JSON.stringify(out)}\n`);
  });
} else {
  describe("leaves what the oracle left", () => {
    const vectors = JSON.parse(readFileSync(VECTORS, "utf8")) as Record<string, string[]>;
    test.each(GROUPS)("$name", { timeout: 180_000 }, (group) => {
      const hart = new HartMachine();
      const results = Array.from({ length: group.count }, (_, i) => hart.run(group.make(i)));
      expect(hashes(results, group.perHash)).toEqual(vectors[group.name]);
    });
  });
}

test.runIf(oracle !== undefined && !record)("fresh sequences agree with the oracle", { timeout: 180_000 }, () => {
  const hart = new HartMachine();
  compare(freshSequences(1_000_000 + (Date.now() % 1_000_000), 1500), hart);
});
