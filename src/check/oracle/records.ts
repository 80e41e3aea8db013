/**
 * Which records of the slabs are free: VMAs, tree nodes, objects.
 *
 *   slab's head ─▶ free ─▶ free ─▶ 0      a store to the head takes the first, or puts one before it; which of the two is
 *                                         seen from the links. So no word of the core says it, and none can forget to.
 *
 * An access to a free record is a violation, but for its link by who holds the slab's lock.
 */
import type { Machine } from "../hooked.js";
import { type Known, SLABS } from "./known.js";

const GRANULE_SHIFT = 6;

export class Records {
  readonly #machine: Machine;
  readonly #known: Known;
  /** 1 for each 64 bytes of a free record. */
  readonly #free: Uint8Array;
  readonly #freeBefore: Uint8Array;
  /** Of each page, 1 + the number of the slab whose records are in it. */
  readonly #slabOf: Uint8Array;
  readonly #slabBefore: Uint8Array;
  /** Granules and pages that an execution changed. */
  #changed = new Uint32Array(256);
  #changes = 0;

  constructor(machine: Machine, known: Known) {
    this.#machine = machine;
    this.#known = known;
    this.#free = new Uint8Array(known.words >>> (GRANULE_SHIFT - 2));
    this.#slabOf = new Uint8Array(known.words >>> 10);
    known.slabFree.forEach((head, slab) => {
      for (let r = machine.words[head >>> 2]; r !== 0; r = this.#next(r)) this.#mark(slab, r, 1);
    });
    this.#freeBefore = this.#free.slice();
    this.#slabBefore = this.#slabOf.slice();
    this.#changes = 0;
  }

  begin(): void {
    for (let i = 0; i < this.#changes; i++) {
      const first = this.#changed[i];
      const page = first >>> (12 - GRANULE_SHIFT);
      this.#free[first] = this.#freeBefore[first];
      this.#slabOf[page] = this.#slabBefore[page];
    }
    this.#changes = 0;
  }

  /** The slab whose head is at `address`. */
  slabOfHead(address: number): number {
    return this.#known.slabFree.indexOf(address);
  }

  /** A slab's head went from `before` to `now`: the record that was freed, positive, or that was taken, negative. */
  headChanged(slab: number, before: number, now: number): number {
    if (before !== 0 && this.#next(before) === now) {
      this.#mark(slab, before, 0);
      return -before;
    }
    this.#mark(slab, now, 1);
    return now;
  }

  bytesOf(slab: number): number {
    return this.#known.slabBytes[slab];
  }

  isFree(address: number): boolean {
    return this.#free[address >>> GRANULE_SHIFT] === 1;
  }

  /** The slab whose record is at `address`, or -1. */
  slabAt(address: number): number {
    return this.#slabOf[address >>> 12] - 1;
  }

  isLink(address: number, slab: number): boolean {
    return (address & 4095) % this.bytesOf(slab) === this.#known.linkOffset;
  }

  isVmaLock(address: number): boolean {
    return (
      this.#slabOf[address >>> 12] === 1 && (address & 4095) % this.#known.slabBytes[0] === this.#known.vmaLockOffset
    );
  }

  #mark(slab: number, r: number, free: number): void {
    this.#slabOf[r >>> 12] = slab + 1;
    const first = r >>> GRANULE_SHIFT;
    const end = (r + this.bytesOf(slab)) >>> GRANULE_SHIFT;
    for (let i = first; i < end; i++) {
      this.#free[i] = free;
      if (this.#changes === this.#changed.length) this.#widen();
      this.#changed[this.#changes++] = i;
    }
  }

  #next(r: number): number {
    return this.#machine.words[(r + this.#known.linkOffset) >>> 2];
  }

  #widen(): void {
    const twice = new Uint32Array(this.#changed.length * 2);
    twice.set(this.#changed);
    this.#changed = twice;
  }
}

export function slabName(slab: number): string {
  return ["VMA", "tree node", "object"][slab] ?? `record of slab ${SLABS[slab]}`;
}
