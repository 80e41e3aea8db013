/**
 * cli/check/builds.ts: the cores that a worker needs: the one that ships, changed ones, and the told ones that name callers.
 *
 * The tools that compile are outside the bundle: they are imported from the checkout, when first needed. A core is built
 * once a worker.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { CallSite } from "../../check/callers.js";
import type { Site } from "../../check/event.js";
import type { Told } from "../../check/explain.js";
import type { CoreBuild } from "../../check/hooked.js";
import type { CoreLayout } from "../../check/names.js";
import { buildHash } from "../../check/schedule.js";
import type { Patch } from "../../check/twins.js";

/** What tools/build-twin.mjs offers. */
interface Tools {
  buildTwin(patches: readonly Patch[]): Promise<{ core: BufferSource; hooked: BufferSource; sites: Site[] }>;
  buildTold(patches: readonly Patch[]): Promise<{ told: BufferSource; sites: Site[]; calls: CallSite[] }>;
}

export interface NamedBuild extends CoreBuild {
  /** The name of the build in a schedule. */
  readonly hash: string;
}

export class Builds {
  readonly #known = new Map<string, Promise<NamedBuild>>();

  constructor(readonly root: string) {}

  /** The core that ships; with patches, a changed one. */
  core(patches?: readonly Patch[]): Promise<NamedBuild> {
    const key = JSON.stringify(patches ?? "ships");
    const known = this.#known.get(key) ?? (patches ? this.#changed(patches) : this.#shipped());
    this.#known.set(key, known);
    return known;
  }

  async told(patches: readonly Patch[] = []): Promise<Told> {
    const { told, sites, calls } = await (await this.#tools()).buildTold(patches);
    return { hooked: new WebAssembly.Module(told), sites, calls };
  }

  /** Where the fields of the core's records lie. */
  layout(): CoreLayout {
    return JSON.parse(this.#read("layout.json").toString());
  }

  async #shipped(): Promise<NamedBuild> {
    const hooked = this.#read("hooked.wasm");
    const core = this.#read("core.wasm");
    const sites = JSON.parse(this.#read("sites.json").toString());
    return named({ hooked, core, sites });
  }

  async #changed(patches: readonly Patch[]): Promise<NamedBuild> {
    return named(await (await this.#tools()).buildTwin(patches));
  }

  #read(name: string): Buffer<ArrayBuffer> {
    return readFileSync(join(this.root, "build", name)) as Buffer<ArrayBuffer>;
  }

  #tools(): Promise<Tools> {
    return import(pathToFileURL(join(this.root, "tools/build-twin.mjs")).href);
  }
}

async function named(linked: {
  hooked: BufferSource;
  core: BufferSource;
  sites: readonly Site[];
}): Promise<NamedBuild> {
  const { hooked, core, sites } = linked;
  const modules = { hooked: new WebAssembly.Module(hooked), core: new WebAssembly.Module(core) };
  return { ...modules, sites, hash: await buildHash(hooked) };
}
