/**
 * cli/check/builds.ts: the cores that a worker needs: the one that ships, changed ones, and the told ones that name callers.
 *
 * The tools that compile are outside the bundle: they are imported from the checkout, when first needed. A core takes
 * seconds to compile, so it is kept:
 *
 *   build/twins/STAMP-PATCHES     STAMP: the core's sources and the compiling tools; PATCHES: what was changed, and the kind
 *
 * Promise    a file appears whole (written aside, then renamed), and is used only for the sources it was made of; those of
 *            other sources are removed when one is added.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { deserialize, serialize } from "node:v8";
import { threadId } from "node:worker_threads";
import type { CallSite } from "../../check/callers.js";
import type { Site } from "../../check/event.js";
import type { Told } from "../../check/explain.js";
import type { CoreBuild } from "../../check/hooked.js";
import type { CoreLayout } from "../../check/names.js";
import { buildHash } from "../../check/schedule.js";
import type { Patch } from "../../check/twins/index.js";

interface Linked {
  core: BufferSource;
  hooked: BufferSource;
  sites: readonly Site[];
}

interface LinkedTold {
  told: BufferSource;
  sites: readonly Site[];
  calls: readonly CallSite[];
}

/** What tools/build-twin.mjs offers. */
interface Tools {
  buildTwin(patches: readonly Patch[]): Promise<Linked>;
  buildTold(patches: readonly Patch[]): Promise<LinkedTold>;
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
    const { told, sites, calls } = await this.#compiled("told", patches, (tools) => tools.buildTold(patches));
    return { hooked: new WebAssembly.Module(told), sites, calls };
  }

  /** Where the fields of the core's records lie. */
  layout(): CoreLayout {
    return JSON.parse(this.#read("layout.json").toString());
  }

  async #shipped(): Promise<NamedBuild> {
    const sites = JSON.parse(this.#read("sites.json").toString());
    return named({ hooked: this.#read("hooked.wasm"), core: this.#read("core.wasm"), sites });
  }

  async #changed(patches: readonly Patch[]): Promise<NamedBuild> {
    return named(await this.#compiled("twin", patches, (tools) => tools.buildTwin(patches)));
  }

  #read(name: string): Buffer<ArrayBuffer> {
    return readFileSync(join(this.root, "build", name)) as Buffer<ArrayBuffer>;
  }

  async #compiled<T>(kind: string, patches: readonly Patch[], compile: (tools: Tools) => Promise<T>): Promise<T> {
    const tool = join(this.root, "tools/build-twin.mjs");
    const stamp = digest([this.#read("core.stamp"), readFileSync(tool)]);
    const folder = join(this.root, "build/twins");
    const name = `${stamp}-${digest([Buffer.from(JSON.stringify([kind, patches]))])}`;
    try {
      return deserialize(readFileSync(join(folder, name)));
    } catch {
      const made = await compile(await import(pathToFileURL(tool).href));
      keep(folder, name, serialize(made), stamp);
      return made;
    }
  }
}

/** Another run may do the same at this moment: what it made is the same. */
function keep(folder: string, name: string, bytes: Uint8Array, stamp: string): void {
  const aside = join(folder, `${name}.${process.pid}.${threadId}`);
  mkdirSync(folder, { recursive: true });
  for (const old of readdirSync(folder)) if (!old.startsWith(stamp)) rmSync(join(folder, old), { force: true });
  writeFileSync(aside, bytes);
  renameSync(aside, join(folder, name));
}

function digest(all: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const bytes of all) hash.update(`${bytes.length} `).update(bytes);
  return hash.digest("hex").slice(0, 16);
}

async function named({ hooked, core, sites }: Linked): Promise<NamedBuild> {
  const modules = { hooked: new WebAssembly.Module(hooked), core: new WebAssembly.Module(core) };
  return { ...modules, sites, hash: await buildHash(hooked) };
}
