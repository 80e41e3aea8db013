/** The builds that the simulator runs on, as the command's workers load them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CoreBuild } from "../../src/predict/core.js";

const BUILD = fileURLToPath(new URL("../../build/", import.meta.url));

export function predictBuild(): CoreBuild {
  const read = (name: string) => readFileSync(join(BUILD, name)) as Buffer<ArrayBuffer>;
  const json = (name: string) => JSON.parse(read(name).toString());
  return {
    hooked: new WebAssembly.Module(read("hooked.wasm")),
    core: new WebAssembly.Module(read("core.wasm")),
    sites: json("sites.json"),
    layout: json("layout.json"),
  };
}
