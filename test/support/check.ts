/** Builds of the core as the checker takes them: the one that ships, and those compiled for a test. */
import { readFileSync } from "node:fs";
import type { CoreBuild } from "../../src/check/hooked.js";
import type { CoreLayout } from "../../src/check/names.js";
import type { Linked } from "../../tools/build-core.mjs";

const at = (name: string) => readFileSync(new URL(`../../build/${name}`, import.meta.url));

export function shippedBuild(): CoreBuild {
  return {
    hooked: new WebAssembly.Module(at("hooked.wasm")),
    core: new WebAssembly.Module(at("core.wasm")),
    sites: JSON.parse(at("sites.json").toString()),
  };
}

/** Where the fields of the core's records lie. */
export function shippedLayout(): CoreLayout {
  return JSON.parse(at("layout.json").toString());
}

export function buildOf({ hooked, core, sites }: Linked): CoreBuild {
  return { hooked: new WebAssembly.Module(hooked), core: new WebAssembly.Module(core), sites };
}
