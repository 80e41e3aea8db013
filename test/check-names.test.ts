/** Names of the core's words come from the core: an address is told by its fields, and a field renamed is told anew. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { type CoreLayout, Names } from "../src/check/names.js";
import { scenario } from "../src/check/scenarios/index.js";
import { Policy } from "../src/core/abi/mman.js";
import { compile, type Linked, link } from "../tools/build-core.mjs";
import { coreLayout } from "../tools/core-layout.mjs";
import { placeSites } from "../tools/wasm-places.mjs";
import { shippedBuild, shippedLayout } from "./support/check.js";

const layout = shippedLayout();
const { machine } = new Checker(shippedBuild(), scenario("fault-munmap"), Policy.Optimistic);
const { words } = machine;
const at = (file: string, name: string) => layout[file][name];
const word = (address: number) => words[address >>> 2];
const space = (name: string) => at("sync/layout.ts", "SPACE") + at("mm/space.ts", name);
const names = new Names(machine, layout);
const cpu1 = machine.plain.cpuArea(1);

/** The leaf table of the neighbour page, found as a walk does. */
function leafTable(): number {
  const pgd = word(space("S_PGD"));
  const next = (table: number, index: number) => (word(table + 8 * index) >>> 10) << 12;
  return next(next(pgd, 1), 0);
}

function firstVma(): number {
  return word(word(space("S_ROOT")) + at("mm/tree.ts", "N_CHILDREN"));
}

function descriptorOf(address: number): number {
  return word(at("sync/layout.ts", "H_DESCRIPTORS")) + (address >>> 12) * at("mm/frame.ts", "DESCRIPTOR_BYTES");
}

describe("an address is told", () => {
  const cases: [() => number, string][] = [
    [() => cpu1 + at("sync/cpu.ts", "C_PENDING"), "cpu 1 pending"],
    [() => cpu1 + at("mm/percpu.ts", "P_FREE_LOCK"), "cpu 1 freeLock"],
    [() => cpu1 + at("sync/cpu.ts", "TLB_PART") + 32 * 5 + 8, "cpu 1 tlb[5] write"],
    [() => cpu1 + at("sync/cpu.ts", "BOUNCE_PART") + 2, "cpu 1 bounce +0x2"],
    [() => space("MMAP_LOCK"), "mmapLock"],
    [() => space("S_ROOT"), "space root"],
    [() => at("sync/rcu.ts", "STARTED"), "rcu started"],
    [() => at("mm/frame.ts", "G_LOCK"), "frames lock"],
    [() => at("mm/slab.ts", "SLAB_NODE") + at("mm/slab.ts", "S_FREE"), "node slab free"],
    [() => firstVma() + at("mm/vma.ts", "V_DETACHED"), "vma 40000000-40001000 detached"],
    [() => firstVma() + at("sync/rcu.ts", "R_GP"), "vma 40000000-40001000 rcu gp"],
    [() => word(space("S_ROOT")) + at("mm/tree.ts", "N_COUNT"), "node 40000000-40011000 count"],
    [() => leafTable() + 8 * 16, "pte 40010000"],
    [() => descriptorOf(leafTable()) + at("mm/frame.ts", "D_LOCK"), "table 40000000 lock"],
    [() => word(space("S_PGD")) + 8, "pgd 40000000"],
  ];
  for (const [address, name] of cases) test(name, () => expect(names.of(address()).text).toBe(name));

  test("a byte of a page, by its frame", () => {
    const frame = (word(leafTable() + 8 * 16) >>> 10) as number;
    expect(names.of((frame << 12) + 16)).toEqual({ text: `frame ${frame} byte 0x10`, entry: false });
    expect(names.entry(BigInt(word(leafTable() + 8 * 16)))).toBe(`frame ${frame} rw-uad`);
  });
});

test("a field that is renamed in the core is renamed in what is told", () => {
  const folder = mkdtempSync(join(tmpdir(), "faultline-layout-"));
  try {
    cpSync(join(import.meta.dirname, "../src/core"), folder, { recursive: true });
    const file = join(folder, "mm/vma.ts");
    writeFileSync(file, readFileSync(file, "utf8").replaceAll("V_DETACHED", "V_TAKEN_OUT"));
    const renamed: CoreLayout = coreLayout(folder);
    const address = firstVma() + at("mm/vma.ts", "V_DETACHED");
    expect(new Names(machine, renamed).of(address).text).toBe("vma 40000000-40001000 takenOut");
    expect(coreLayout()).toEqual(layout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a record whose constants are gone is an error, not a guess", () => {
  const { "mm/vma.ts": _, ...without } = layout;
  expect(() => new Names(machine, without)).toThrow("the core has no constants mm/vma.ts: V_");
});

describe("the place of each access", () => {
  let raw: { binary: Uint8Array; map: string };
  let linked: Linked;
  const fixture = join(import.meta.dirname, "fixtures/counter");
  const functions = () => [...new Set(linked.sites.map((site) => site.function))];

  beforeAll(async () => {
    raw = await compile(join(fixture, "index.ts"));
    linked = link(raw.binary, raw.map);
  });

  test("is a line of the source with such an access", () => {
    expect(linked.sites.length).toBeGreaterThan(10);
    for (const { file, line, instruction } of linked.sites) {
      const text = readFileSync(join(fixture, file!), "utf8").split("\n")[line! - 1];
      const wordOf = instruction.startsWith("rmw.")
        ? `atomic.${instruction.slice(4)}`
        : instruction.replace(/\d+$/, "");
      expect(text, `${file}:${line}`).toContain(wordOf);
    }
  });

  test("stops the build where the hooked core and the raw one do not agree", () => {
    const names = functions();
    const wrong = linked.sites.map((site) => ({ ...site }));
    wrong[0].kind = "Notify";
    expect(() => placeSites(wrong, { ...raw, names })).toThrow(/is Notify/);
    expect(() => placeSites(linked.sites.slice(1), { ...raw, names })).toThrow(
      /in the raw core, \d+ in the hooked one/,
    );
  });
});
