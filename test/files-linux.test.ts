/**
 * File calls answer as Linux answers: over memory, over a directory given with --dir, over a root directory. The answers
 * committed are a kernel's; where this machine's kernel can be asked, it is asked again.
 *
 * FILES_RECORD=1 writes them anew (needs x86-64 Linux, root and cc).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import type { Call } from "./support/files-calls";
import { CASES as NAMED_CASES } from "./support/files-cases";
import { KINDS } from "./support/files-guest";
import { findKernel } from "./support/files-kernel";
import { MEMORY_CASES } from "./support/files-memory-cases";

const VECTORS = new URL("./vectors/files.json", import.meta.url);
const CASES: Readonly<Record<string, readonly Call[]>> = { ...NAMED_CASES, ...MEMORY_CASES };
const kernel = findKernel();
const record = process.env.FILES_RECORD === "1";
const names = Object.keys(CASES);
const vectors = record ? {} : (JSON.parse(readFileSync(VECTORS, "utf8")) as Record<string, string[]>);

const short = (arg: unknown): string => {
  const text = typeof arg === "bigint" ? `${arg}n` : (JSON.stringify(arg) ?? "");
  return text.length > 40 ? `${text.slice(0, 40)}…${text.length}` : text;
};
/** The calls that were answered otherwise. */
const differences = (calls: readonly Call[], got: readonly string[], want: readonly string[]): string[] =>
  calls.flatMap(([name, ...args], i) =>
    got[i] === want[i] ? [] : [`${i} ${name} ${args.map(short).join(" ")}: ${short(got[i])}, Linux ${short(want[i])}`],
  );

let ends: Array<() => void> = [];
afterEach(() => {
  for (const end of ends) end();
  ends = [];
});

if (record) {
  test("record", () => {
    const answers = names.map((name) => [name, kernel?.(CASES[name] ?? [])]);
    writeFileSync(VECTORS, `${JSON.stringify(Object.fromEntries(answers), null, 1)}\n`);
  });
} else {
  describe.each(KINDS)("over $name", ({ make }) => {
    test.each(names)("%s", (name) => {
      const calls = CASES[name] ?? [];
      const { guest, end } = make();
      ends.push(end);
      expect(differences(calls, guest.run(calls), vectors[name] ?? [])).toEqual([]);
    });
  });
}

test.runIf(kernel && process.getuid?.() === 0 && !record)("this machine's kernel says the same", () => {
  for (const name of names) {
    const calls = CASES[name] ?? [];
    expect(differences(calls, kernel?.(calls) ?? [], vectors[name] ?? []), name).toEqual([]);
  }
});
