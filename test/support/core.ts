/**
 * A core in a fresh memory, for tests that drive it from one thread: the shipping wasm, no hart running.
 */
import { readFileSync } from "node:fs";
import { Bug } from "../../src/core/abi/bug";
import { Layout, Policy, Pretouch, Tables } from "../../src/core/abi/mman";
import type { MemoryCore } from "../../src/embed/memoryCore";

const wasm = new WebAssembly.Module(readFileSync(new URL("../../build/core.wasm", import.meta.url)));

export interface TestCore {
  core: MemoryCore;
  memory: WebAssembly.Memory;
  /** Area of CPU 0, online. */
  cpu: number;
  frames: number;
  /** Plays the other CPUs: called instead of a wait on the word at `address`. */
  paused?: (address: number) => void;
}

export function bugName(code: number): string {
  return (Bug[code] ?? `bug ${code}`).replace("_", ": ").replaceAll("_", " ");
}

/** Boots a core over `mebibytes` with `cpus` areas; CPU 0 is online. */
export function bootCore(
  mebibytes = 16,
  cpus = 4,
  policy: Policy = Policy.Optimistic,
  tables: Tables = Tables.Rcu,
  layout: Layout = Layout.Page,
  pretouch: Pretouch = Pretouch.None,
): TestCore {
  const pages = mebibytes * 16;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  let core: MemoryCore;
  let booted: TestCore | undefined;
  const env = {
    memory,
    pause: (c: number, a: number, s: number, r: number) => {
      if (booted?.paused) booted.paused(a >>> 0);
      else core.pauseRun(c, a, s, r);
    },
    now: () => performance.now() * 1e6,
    bug: (_cpu: number, code: number) => {
      throw new Error(bugName(code));
    },
  };
  core = new WebAssembly.Instance(wasm, { env }).exports as unknown as MemoryCore;
  const frames = core.boot(pages * 65536, cpus, policy, tables, layout, pretouch);
  if (frames < 0) throw new Error(`boot: ${frames}`);
  const cpu = core.cpuArea(0);
  core.cpuOnline(cpu);
  booted = { core, memory, cpu, frames };
  return booted;
}

/** Throws the name of the first broken invariant. */
export function mustHold({ core, cpu }: TestCore): void {
  const bug = core.verifySpace(cpu);
  if (bug !== 0) throw new Error(bugName(bug));
}
