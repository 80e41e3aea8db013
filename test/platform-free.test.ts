/** The core and the machine know no platform: bundled for none, they run in a context that has only the web's globals. */
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { beforeAll, expect, test } from "vitest";
import { Exit } from "../src/core/abi/exit";
import { Layout, MapFlag, Policy, Pretouch, Prot, Tables } from "../src/core/abi/mman";
import type * as CoreModule from "../src/run/core";
import type * as MachineModule from "../src/run/machine";
import type * as WorkerModule from "../src/run/worker";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const module = new WebAssembly.Module(readFileSync(`${ROOT}build/core.wasm`));
const ENTRY = ["machine", "worker", "core"].map((name) => `export * from "./src/run/${name}.ts";`).join("\n");

type Loaded = typeof MachineModule & typeof WorkerModule & typeof CoreModule;

let imports: string[] = [];
let code = "";
let loaded: Loaded;

async function bundle(contents: string): Promise<{ imports: string[]; code: string }> {
  const result = await build({
    stdin: { contents, resolveDir: ROOT, loader: "ts" },
    bundle: true,
    platform: "neutral",
    format: "iife",
    globalName: "faultline",
    external: ["node:*", ...builtinModules],
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const inputs = Object.values(result.metafile.inputs).flatMap((input) => input.imports);
  return {
    imports: inputs.filter((item) => item.external).map((item) => item.path),
    code: result.outputFiles[0]?.text ?? "",
  };
}

beforeAll(async () => {
  ({ imports, code } = await bundle(ENTRY));
  const context = createContext({ performance, crypto, TextEncoder, TextDecoder });
  loaded = runInContext(`${code}; faultline`, context) as Loaded;
  for (const name of ["process", "require", "Buffer", "module", "global"]) {
    expect(runInContext(`typeof ${name}`, context)).toBe("undefined");
  }
});

test("no file that the machine or its workers are made of imports a module of Node's", () => {
  expect(imports).toEqual([]);
});

test("an import of Node's would be seen", async () => {
  expect((await bundle('export * from "./src/run/node/adapter.ts";')).imports).toContain("node:worker_threads");
});

test("the machine boots its core without a platform's help", () => {
  const platform: ConstructorParameters<typeof MachineModule.Machine>[0] = {
    core: module,
    clockNs: () => performance.now() * 1e6,
    epochNs: () => 0,
    startWorker: () => {
      throw new Error("no worker is wanted");
    },
  };
  const files = { connect() {} } as unknown as ConstructorParameters<typeof MachineModule.Machine>[1];
  const options = { policy: Policy.Optimistic, tables: Tables.Rcu, layout: Layout.Page, cpus: 2, uid: 0, gid: 0 };
  const machine = new loaded.Machine(platform, files, { ...options, memoryBytes: 64 << 20, maxThreads: 4 });
  expect(machine.interrupt()).toBe(false);
  expect(() => new loaded.Machine(platform, files, { ...options, memoryBytes: 1 << 20 })).toThrow(/too small/);
});

test("a guest's store faults, is served and goes on", () => {
  const STORE = 0x00a5b023; // sd a0, 0(a1)
  const ECALL = 0x00000073;
  const CODE = 0x10000n;
  const DATA = 0x20_0000n;
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  const core = loaded.instantiateCore(module, memory, () => 0);
  expect(core.boot(64 << 16, 1, Policy.Optimistic, Tables.Rcu, Layout.Page, Pretouch.None)).toBeGreaterThan(0);
  const cpu = core.cpuArea(0);
  core.cpuOnline(cpu);
  const flags = MapFlag.Private | MapFlag.Anonymous | MapFlag.Fixed;
  const all = Prot.Read | Prot.Write | Prot.Exec;
  expect(core.sysMmap(cpu, CODE, 4096n, all, flags, 0, 0n)).toBe(CODE);
  expect(core.sysMmap(cpu, DATA, 4096n, Prot.Read | Prot.Write, flags, 0, 0n)).toBe(DATA);
  const bounce = new DataView(memory.buffer, core.bounce(cpu));
  bounce.setUint32(0, STORE, true);
  bounce.setUint32(4, ECALL, true);
  expect(core.copyToUser(cpu, CODE, core.bounce(cpu), 8)).toBe(0n);
  core.setPc(cpu, CODE);
  core.setX(cpu, 10, 0x1122334455667788n);
  core.setX(cpu, 11, DATA + 16n);
  expect(core.hartRun(cpu, 1000)).toBe(Exit.Ecall);
  expect(core.getPc(cpu)).toBe(CODE + 8n);
  expect(core.copyFromUser(cpu, core.bounce(cpu), DATA + 16n, 8)).toBe(0n);
  expect(bounce.getBigUint64(0, true)).toBe(0x1122334455667788n);
  core.setX(cpu, 11, DATA + 4096n);
  core.setPc(cpu, CODE);
  expect(core.hartRun(cpu, 1000)).toBe(Exit.Trap);
  expect(core.trapValue(cpu)).toBe(DATA + 4096n);
});
