/** The build's refusals: a core that would lie to one of its engines does not become one. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { compile, type Linked, link } from "../tools/build-core.mjs";
import { RefusedCore } from "../tools/wasm-refuse.mjs";

async function build(fixture: string): Promise<Linked> {
  const { binary } = await compile(join(import.meta.dirname, "fixtures", fixture, "index.ts"));
  return link(binary);
}

test("a mutable global is refused: each worker would have its own", async () => {
  const refused = build("mutable-global");
  await expect(refused).rejects.toBeInstanceOf(RefusedCore);
  await expect(refused).rejects.toThrow(/has a mutable global ".*calls": each worker would have its own/);
});

test("a data segment is refused: each worker would write it again", async () => {
  const refused = build("data-segment");
  await expect(refused).rejects.toBeInstanceOf(RefusedCore);
  await expect(refused).rejects.toThrow(/has a data segment .*: each worker would write it again over live memory/);
});

test("a clean core becomes both modules", async () => {
  const { core, hooked, sites } = await build("counter");
  const exportsOf = (wasm: Uint8Array<ArrayBuffer>) => WebAssembly.Module.exports(new WebAssembly.Module(wasm));
  const names = exportsOf(core).map(({ name }) => name);
  expect(names).toContain("addLocked");
  expect(exportsOf(hooked).map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  expect(sites.length).toBeGreaterThan(0);
});
