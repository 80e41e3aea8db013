/** The typed entry for the memory manager alone; and the program in docs/embedding.md, run as it stands there. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  Access,
  AccessFault,
  Advice,
  Counter,
  createMemoryManager,
  joinCpu,
  MemoryError,
  type MemoryManager,
  Prot,
  SegvCode,
} from "../src/embed/index";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PAGE = 4096n;
const module = new WebAssembly.Module(readFileSync(join(ROOT, "build/core.wasm")));
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(ROOT, "build/.example-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function manager(memory: number | string = "4M", cpus = 2): MemoryManager {
  return createMemoryManager({ module, memory, cpus });
}

/** The only block of TypeScript in docs/embedding.md, as a file one folder below the root. */
function example(): string {
  const text = readFileSync(join(ROOT, "docs/embedding.md"), "utf8");
  const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1] as string);
  expect(blocks).toHaveLength(1);
  return blocks[0] as string;
}

test("the documented program is under 60 lines", () => {
  expect(example().trimEnd().split("\n").length).toBeLessThan(60);
});

test("the documented program maps, faults and unmaps on two workers", async () => {
  const source = join(folder, "example.ts");
  const outfile = join(folder, "example.mjs");
  writeFileSync(source, example().replaceAll("../src/", "../../src/"));
  await build({ entryPoints: [source], outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" });
  const { status, stdout, stderr } = spawnSync(process.execPath, [outfile], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 90_000,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^0 mappings left, \d+ frames kept for records\nfaults: at least 128, under mmapLock: \d+\n$/);
});

test("the documented program has the types it claims", () => {
  const source = join(folder, "typed.ts");
  writeFileSync(source, example().replaceAll("../src/", "../../src/"));
  const config = join(folder, "tsconfig.json");
  writeFileSync(config, JSON.stringify({ extends: "../../tsconfig.json", include: [], files: ["typed.ts"] }));
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  const { status, stdout } = spawnSync(tsc, ["-p", config], { cwd: ROOT, encoding: "utf8", timeout: 180_000 });
  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
});

test("what one CPU writes the other reads, and what it unmaps the other loses, without being asked to answer", () => {
  const mm = manager();
  const one = joinCpu(mm.seat());
  const two = joinCpu(mm.seat());
  const at = one.map({ length: 4n * PAGE });
  const text = new TextEncoder().encode("across three pages".repeat(500));
  one.write(at + 100n, text);
  expect(two.read(at + 100n, text.length)).toEqual(text);
  // Both Cpus live in this one thread: were `two` awake between calls, this would wait for it for ever.
  one.unmap(at + PAGE, PAGE);
  expect(() => two.read(at, 3 * 4096)).toThrow(new AccessFault(at + PAGE, Access.Read, SegvCode.MapErr));
  expect(two.read(at, 4096)[100]).toBe(text[0]);
  mm.verify();
  expect(mm.count(Counter.Munmaps)).toBe(1);
});

test("a copy longer than the bounce buffer arrives whole", () => {
  const cpu = joinCpu(manager().seat());
  const data = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7) & 255);
  const at = cpu.map({ length: 50n * PAGE });
  cpu.write(at + 4000n, data);
  expect(cpu.read(at + 4000n, data.length)).toEqual(data);
});

test("refusals are Linux's: errno for a call, address and code for an access", () => {
  const mm = manager("4M", 1);
  const cpu = joinCpu(mm.seat());
  expect(() => mm.seat()).toThrow(new MemoryError(11, "seat"));
  expect(() => cpu.unmap(1n, PAGE)).toThrow(new MemoryError(22, "munmap"));
  expect(() => cpu.protect(0x100000n, PAGE, Prot.Read)).toThrow(new MemoryError(12, "mprotect"));
  expect(() => cpu.map({ length: 1n << 39n })).toThrow(new MemoryError(12, "mmap"));
  const at = cpu.map({ length: PAGE, prot: Prot.Read });
  expect(cpu.read(at, 1)).toEqual(Uint8Array.of(0));
  expect(() => cpu.write(at + 5n, Uint8Array.of(1))).toThrow(new AccessFault(at + 5n, Access.Write, SegvCode.AccErr));
  expect(() => cpu.read(1n << 38n, 1)).toThrow(new AccessFault(1n << 38n, Access.Read, SegvCode.MapErr));
  expect(() => createMemoryManager({ module, memory: "12Q", cpus: 1 })).toThrow(/EINVAL/);
  expect(() => createMemoryManager({ module, memory: "64K", cpus: 1 })).toThrow(/ENOMEM/);
});

test("running out of frames is an error, and the memory comes back when the mapping goes", () => {
  const mm = manager("4M", 1);
  const cpu = joinCpu(mm.seat());
  const free = mm.stats().framesFree;
  const length = BigInt(free + 10) * PAGE;
  const at = cpu.map({ length });
  expect(() => {
    for (let page = at; page < at + length; page += PAGE) cpu.touch(page, Access.Write);
  }).toThrow(new MemoryError(12, "fault"));
  cpu.unmap(at, length);
  cpu.leave();
  mm.verify();
  // A record's frame stays one: VMAs and tree nodes took one each.
  expect(free - mm.stats().framesFree).toBeLessThanOrEqual(4);
});

test("inside run a translation is the page itself", () => {
  const mm = manager();
  const cpu = joinCpu(mm.seat());
  const at = cpu.map({ length: PAGE });
  expect(() => cpu.translate(at, Access.Write)).toThrow(/run/);
  cpu.run(() => {
    const place = cpu.translate(at + 8n, Access.Write);
    new DataView(mm.memory.buffer).setUint32(place, 0xfa0172, true);
  });
  expect(new DataView(cpu.read(at + 8n, 4).buffer).getUint32(0, true)).toBe(0xfa0172);
});

test("an object's pages come from readPage, once each, shared by its mappings, and the object is released once", () => {
  const asked: bigint[] = [];
  const cpu = joinCpu(manager().seat(), {
    readPage: (object, offset, into) => {
      asked.push(offset);
      into.fill(object);
      return offset < 3n * PAGE;
    },
  });
  const at = cpu.map({ length: 4n * PAGE, object: 7, offset: PAGE });
  expect(cpu.read(at, 2)).toEqual(Uint8Array.of(7, 7));
  cpu.write(at + 1n, Uint8Array.of(1));
  expect(cpu.read(at, 2)).toEqual(Uint8Array.of(7, 1));
  cpu.advise(at, PAGE, Advice.DontNeed);
  expect(cpu.read(at, 2)).toEqual(Uint8Array.of(7, 7));
  expect(() => cpu.read(at + 2n * PAGE, 1)).toThrow(AccessFault);
  expect(asked).toEqual([PAGE, 3n * PAGE]);
  cpu.unmap(at, PAGE);
  expect(cpu.released()).toEqual([]);
  cpu.unmap(at, 4n * PAGE);
  expect(cpu.released()).toEqual([7]);
});
