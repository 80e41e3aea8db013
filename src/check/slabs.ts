/**
 * What the records of a slab's frame are: VMAs, tree nodes or objects.
 *
 * A frame does not say it; what leads to its records does: the free list of each slab, the VMA tree, the writer's reserve, the
 * records that wait for a grace period. A slab's frames stay slabs, so what was once found holds.
 */
import type { Machine } from "./hooked.js";

/** File of the core → constant → value (build/layout.json). */
export type CoreLayout = Readonly<Record<string, Readonly<Record<string, number>>>>;

export type RecordKind = "vma" | "node" | "object";

const FRAME_SHIFT = 12;
/** Bounds for lists and trees that a violation may have made endless. */
const LONGEST_LIST = 10_000;
const DEEPEST_TREE = 8;

export class Slabs {
  readonly #machine: Machine;
  readonly #layout: CoreLayout;
  readonly #slabs = new Map<number, RecordKind>();

  constructor(machine: Machine, layout: CoreLayout) {
    this.#machine = machine;
    this.#layout = layout;
  }

  /** Of the frame that holds `address`; undefined when nothing leads to its records. */
  kindOf(address: number): RecordKind | undefined {
    const frame = address >>> FRAME_SHIFT;
    if (!this.#slabs.has(frame)) this.#findSlabs();
    return this.#slabs.get(frame);
  }

  /** Follows what leads to records: the free list of each slab, the tree, the writer's reserve, what waits for RCU. */
  #findSlabs(): void {
    const slab = this.#layout["mm/slab.ts"];
    const space = this.#layout["mm/space.ts"];
    const first = this.#layout["sync/layout.ts"].SPACE;
    const { R_NEXT, R_KIND } = this.#layout["sync/rcu.ts"];
    const { KIND_VMA, KIND_NODE } = this.#layout["mm/kinds.ts"];
    const note = (record: number, kind: RecordKind) => this.#slabs.set(record >>> FRAME_SHIFT, kind);
    for (const [at, kind] of [
      [slab.SLAB_VMA, "vma"],
      [slab.SLAB_NODE, "node"],
      [slab.SLAB_OBJECT, "object"],
    ] as const) {
      this.#follow(this.#word(at + slab.S_FREE), slab.LINK, (record) => note(record, kind));
    }
    for (const head of [space.S_RESERVE, space.S_DROPPED])
      this.#follow(this.#word(first + head), R_NEXT, (node) => note(node, "node"));
    this.#tree(this.#word(first + space.S_ROOT), note);
    const { CPU_AREAS, H_CPUS } = this.#layout["sync/layout.ts"];
    const { CPU_BYTES, C_DEFER_HEAD } = this.#layout["sync/cpu.ts"];
    for (let i = 0; i < this.#word(H_CPUS); i++) {
      this.#follow(this.#word(CPU_AREAS + i * CPU_BYTES + C_DEFER_HEAD), R_NEXT, (record) => {
        const kind = this.#word(record + R_KIND);
        if (kind === KIND_VMA || kind === KIND_NODE) note(record, kind === KIND_VMA ? "vma" : "node");
      });
    }
  }

  #follow(first: number, link: number, visit: (record: number) => void): void {
    let record = first;
    for (let left = LONGEST_LIST; record !== 0 && this.#isFrame(record) && left > 0; left--) {
      visit(record);
      record = this.#word(record + link);
    }
  }

  #tree(node: number, note: (record: number, kind: RecordKind) => void, depth = 0): void {
    if (!this.#isFrame(node) || depth > DEEPEST_TREE) return;
    const { N_COUNT, N_LEVEL, N_CHILDREN, FANOUT } = this.#layout["mm/tree.ts"];
    note(node, "node");
    const count = Math.min(this.#word(node + N_COUNT), FANOUT);
    for (let i = 0; i < count; i++) {
      const child = this.#word(node + N_CHILDREN + 4 * i);
      if (this.#word(node + N_LEVEL) > 0) this.#tree(child, note, depth + 1);
      else note(child, "vma");
    }
  }

  #isFrame(address: number): boolean {
    return address >= this.#machine.firstFrame && address < this.#machine.bytes.length;
  }

  #word(address: number): number {
    return this.#machine.words[address >>> 2];
  }
}
