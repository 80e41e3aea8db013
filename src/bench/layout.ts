/**
 * bench/layout.ts: what blocks of two or sixteen page tables cost against a frame for each, in time and memory.
 *
 *   dense    64 pages mapped, faulted in and unmapped: one leaf table each round
 *   sparse   one page in each of 2,048 leaf tables: a table for every page
 *   comb     the same, every second one unmapped: what the blocks keep back of what the guest gave up
 *
 * One CPU, in this thread, policy optimistic. Memory is counted in frames once every deferred free has run.
 */
import { readFileSync } from "node:fs";
import { Access } from "../core/abi/exit.js";
import { Layout, MapFlag, Policy, Pretouch, Prot, Tables } from "../core/abi/mman.js";
import { Stat } from "../core/abi/stat.js";
import { clockSince, instantiateMemoryCore, type MemoryCore } from "../embed/memoryCore.js";
import { quartiles } from "./median.js";

export interface LayoutRow {
  readonly layout: string;
  readonly tables: string;
  /** Nanoseconds a page, mapping and unmapping included. */
  readonly denseNs: number;
  readonly sparseNs: number;
  /** Frames with a live table, and frames kept back beside them, when half of the sparse pages are unmapped. */
  readonly live: number;
  readonly held: number;
}

export interface LayoutOptions {
  readonly samples: number;
  readonly milliseconds: number;
  /** Folder of the built modules; the core lies one above. */
  readonly directory: URL;
  readonly progress: (text: string) => void;
  readonly stopped: () => boolean;
}

const LAYOUTS: ReadonlyArray<readonly [string, Layout]> = [
  ["page", Layout.Page],
  ["halves", Layout.Halves],
  ["fragments", Layout.Fragments],
];
const PROTECTIONS: ReadonlyArray<readonly [string, Tables]> = [
  ["rcu", Tables.Rcu],
  ["irq", Tables.Irq],
];
const WASM_PAGES = 4096;
const PAGE = 4096n;
const SPAN = 1n << 21n;
const PLACE = 1n << 36n;
const DENSE = 64n;
const SPARSE = 2048;
const FLAGS = MapFlag.Private | MapFlag.Anonymous | MapFlag.FixedNoReplace;
const RW = Prot.Read | Prot.Write;

/** Rows in order; each sample goes round all settings. */
export async function benchLayout(options: LayoutOptions): Promise<LayoutRow[]> {
  const { samples, milliseconds, directory, progress, stopped } = options;
  const module = new WebAssembly.Module(readFileSync(new URL("../core.wasm", directory)));
  const places = LAYOUTS.flatMap(([layout, l]) =>
    PROTECTIONS.map(([tables, t]) => new Place(module, layout, tables, l, t)),
  );
  for (let sample = 0; sample < samples && !stopped(); sample++) {
    for (const place of places) {
      progress(`layout: ${place.layout} / ${place.tables}, sample ${sample + 1} of ${samples}`);
      place.sample(milliseconds);
      // Ctrl-C is heard between samples.
      await new Promise(setImmediate);
    }
  }
  return places.filter((place) => place.dense.length > 0).map((place) => place.row());
}

class Place {
  readonly dense: number[] = [];
  private readonly sparse: number[] = [];
  private readonly core: MemoryCore;
  private readonly cpu: number;
  private readonly clock = clockSince(performance.timeOrigin);

  constructor(
    module: WebAssembly.Module,
    readonly layout: string,
    readonly tables: string,
    l: Layout,
    t: Tables,
  ) {
    const memory = new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true });
    this.core = instantiateMemoryCore(module, memory, this.clock);
    if (this.core.boot(WASM_PAGES * 65536, 1, Policy.Optimistic, t, l, Pretouch.None) < 0)
      throw new Error("bench: the core does not boot");
    this.cpu = this.core.cpuArea(0);
    this.core.cpuOnline(this.cpu);
  }

  sample(milliseconds: number): void {
    this.dense.push(
      this.timed(milliseconds, Number(DENSE), () => {
        this.map(PLACE, DENSE * PAGE);
        if (this.core.fillRange(this.cpu, PLACE, PLACE + DENSE * PAGE, Access.Write) !== 0)
          throw new Error("bench: a fault was refused");
        this.core.sysMunmap(this.cpu, PLACE, DENSE * PAGE);
      }),
    );
    this.sparse.push(
      this.timed(milliseconds, SPARSE, () => {
        for (let i = 0; i < SPARSE; i++) this.touch(i);
        for (let i = 0; i < SPARSE; i++) this.unmap(i);
      }),
    );
  }

  row(): LayoutRow {
    const { core, cpu } = this;
    for (let i = 0; i < SPARSE; i++) this.touch(i);
    for (let i = 0; i < SPARSE; i += 2) this.unmap(i);
    core.settle(cpu, 100);
    return {
      layout: this.layout,
      tables: this.tables,
      denseNs: quartiles(this.dense).rate,
      sparseNs: quartiles(this.sparse).rate,
      live: core.stat(Stat.FramesTable),
      held: core.stat(Stat.FramesHeld),
    };
  }

  /** Nanoseconds for each of `pages` in a round. */
  private timed(milliseconds: number, pages: number, round: () => void): number {
    const from = this.clock();
    let rounds = 0;
    while (rounds === 0 || this.clock() - from < milliseconds * 1e6) {
      round();
      this.core.kernelExit(this.cpu);
      rounds++;
    }
    return (this.clock() - from) / (rounds * pages);
  }

  private map(at: bigint, bytes: bigint): void {
    if (this.core.sysMmap(this.cpu, at, bytes, RW, FLAGS, 0, 0n) !== at) throw new Error("bench: mmap");
  }

  private touch(i: number): void {
    const at = PLACE + BigInt(i) * SPAN;
    this.map(at, PAGE);
    if (this.core.fillRange(this.cpu, at, at + PAGE, Access.Write) !== 0) throw new Error("bench: a fault was refused");
  }

  private unmap(i: number): void {
    this.core.sysMunmap(this.cpu, PLACE + BigInt(i) * SPAN, PAGE);
  }
}
