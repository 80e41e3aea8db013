/**
 * Who holds which lock, recognised by what happens to the lock words.
 *
 *   spin lock   compare-and-swap 0 → 1 takes it, an atomic store of 0 gives it back
 *   mmapLock    0 → WRITER and n → n + 1 by compare-and-swap take it; a swap for 0 or 1, and a subtraction, give it back (1:
 *               the writer stays as a reader)                                                         sync/rwlock.ts
 *   VMA's lock  n → n + 1 by compare-and-swap, n → n - 1 by subtraction; a writer adds WRITER and waits   mm/vmaLock.ts
 *
 * Each lane has the list of what it holds; an interrupt holds on top what its actor holds.
 * Blocking    a spin lock taken by the words that wait (WAITING) is one that was waited for, or could have been.
 */
import { Step } from "../../core/abi/step.js";
import { Watch } from "../../core/abi/watch.js";
import type { Lane } from "../lane.js";
import { className, FLUSH_DONE, IRQS_OFF, type Known, READER, TABLE } from "./known.js";
import type { LockOrder } from "./order.js";
import type { Records } from "./records.js";

/** Functions of the core in which a spin lock is waited for. */
const WAITING = /spinlock\/(lock|lockSlow|lockIrqOff)$/;
const RW_WRITER = 0x8000_0000;
const VMA_WRITER = 0x4000_0000;
const DEPTH = 32;

export class Locks {
  readonly #known: Known;
  readonly #records: Records;
  readonly #order: LockOrder | undefined;
  readonly #where: (site: number) => string;
  readonly #waits: Uint8Array;
  readonly #address: Uint32Array;
  readonly #class: Uint8Array;
  readonly #site: Uint16Array;
  readonly #count: Uint8Array;

  constructor(
    known: Known,
    records: Records,
    order: LockOrder | undefined,
    lanes: number,
    functions: readonly string[],
    where: (site: number) => string,
  ) {
    this.#known = known;
    this.#records = records;
    this.#order = order;
    this.#where = where;
    this.#waits = Uint8Array.from(functions, (name) => (WAITING.test(name) ? 1 : 0));
    this.#address = new Uint32Array(lanes * DEPTH);
    this.#class = new Uint8Array(lanes * DEPTH);
    this.#site = new Uint16Array(lanes * DEPTH);
    this.#count = new Uint8Array(lanes);
  }

  begin(): void {
    this.#count.fill(0);
  }

  /** An atomic access that wrote `now` where `before` was. */
  wrote(lane: Lane, kind: number, address: number, site: number, before: number, now: number): void {
    const what = this.#known.what[address >>> 2];
    if (what === 0) {
      if (this.#records.isVmaLock(address)) this.#vma(lane, kind, address, site, before, now);
    } else if (what >= FLUSH_DONE) return;
    else if (what === Watch.MmapLock) this.#mmapLock(lane, kind, address, site, before, now);
    else if (kind === Step.AtomicCmpxchg) this.#taken(lane, address, this.#classOf(what, address), site);
    else if (now === 0) this.#released(lane, address);
  }

  /** An atomic load: to look at another CPU's acknowledgements is to wait for them. */
  looked(lane: Lane, address: number, site: number): void {
    if (this.#known.what[address >>> 2] !== FLUSH_DONE) return;
    if (this.#known.acknowledgedBy(address) !== lane.cpuIndex) this.#waitsFor(lane, IRQS_OFF, site);
  }

  /** A round of a wait; `site` is what was done last. */
  paused(lane: Lane, address: number, site: number): void {
    const what = this.#known.what[address >>> 2];
    if (what !== 0 && what < FLUSH_DONE) this.#waitsFor(lane, this.#classOf(what, address), site);
    else if (address === this.#known.gracePeriod) this.#waitsFor(lane, READER, site);
  }

  /** Interrupts came on, for what the lane holds. */
  irqsOn(lane: Lane): void {
    if (!this.#order) return;
    for (let i = lane.id * DEPTH; i < lane.id * DEPTH + this.#count[lane.id]; i++) this.#heldIrqsOn(lane, i);
  }

  /** What the lane holds, in words; empty when nothing. */
  held(lane: Lane): string[] {
    const told: string[] = [];
    for (let i = lane.id * DEPTH; i < lane.id * DEPTH + this.#count[lane.id]; i++) {
      told.push(`${className(this.#class[i])} (${this.#where(this.#site[i])})`);
    }
    return told;
  }

  holdsAny(lane: Lane): boolean {
    return this.#count[lane.id] !== 0;
  }

  holds(lane: Lane, address: number): boolean {
    return this.#find(lane.id, address) >= 0;
  }

  holdsClass(lane: Lane, id: number): boolean {
    for (let i = lane.id * DEPTH; i < lane.id * DEPTH + this.#count[lane.id]; i++) {
      if (this.#class[i] === id) return true;
    }
    return false;
  }

  /** The lock in the word at `address`, in words; undefined: none is there. */
  nameOf(address: number): string | undefined {
    const what = this.#known.what[address >>> 2];
    if (what !== 0) return what < FLUSH_DONE ? className(this.#classOf(what, address)) : undefined;
    return this.#records.isVmaLock(address) ? className(Watch.VmaLock) : undefined;
  }

  #classOf(what: number, address: number): number {
    return what === TABLE ? TABLE + Math.min(this.#known.levelOfLock(address), 7) : what;
  }

  #mmapLock(lane: Lane, kind: number, address: number, site: number, before: number, now: number): void {
    const wasWriter = (before & RW_WRITER) !== 0;
    if (kind === Step.AtomicCmpxchg) {
      if (wasWriter || !((now & RW_WRITER) !== 0 || now === before + 1)) return;
      this.#waitsFor(lane, Watch.MmapLock, site);
      this.#push(lane, address, Watch.MmapLock, site);
    } else if (!(wasWriter && now === 1)) this.#released(lane, address);
  }

  #vma(lane: Lane, kind: number, address: number, site: number, before: number, now: number): void {
    if (kind === Step.AtomicCmpxchg) this.#push(lane, address, Watch.VmaLock, site);
    else if (kind !== Step.AtomicRmw) return;
    else if (now - before === VMA_WRITER) this.#waitsFor(lane, Watch.VmaLock, site);
    else if (now === before - 1) this.#released(lane, address);
  }

  #taken(lane: Lane, address: number, id: number, site: number): void {
    if (this.#waits[site] === 1) this.#waitsFor(lane, id, site);
    this.#push(lane, address, id, site);
  }

  #push(lane: Lane, address: number, id: number, site: number): void {
    const at = lane.id * DEPTH + this.#count[lane.id]++;
    this.#address[at] = address;
    this.#class[at] = id;
    this.#site[at] = site;
    if (this.#order && !lane.actor && lane.irqDepth === 0 && !this.#order.knowsIrqsOn(id)) this.#heldIrqsOn(lane, at);
  }

  #heldIrqsOn(lane: Lane, at: number): void {
    const id = this.#class[at];
    // Whoever waits for mmapLock or a VMA's lock does it asleep, or answering: never in an interrupt.
    this.#order!.heldIrqsOn(id, `${lane.name}, ${this.#where(this.#site[at])}`);
  }

  #released(lane: Lane, address: number): void {
    const at = this.#find(lane.id, address);
    if (at < 0) return;
    const end = lane.id * DEPTH + --this.#count[lane.id];
    for (let i = at; i < end; i++) {
      this.#address[i] = this.#address[i + 1];
      this.#class[i] = this.#class[i + 1];
      this.#site[i] = this.#site[i + 1];
    }
  }

  #find(lane: number, address: number): number {
    for (let i = lane * DEPTH + this.#count[lane] - 1; i >= lane * DEPTH; i--)
      if (this.#address[i] === address) return i;
    return -1;
  }

  /** Edges from all that the lane holds, and its actor below it, to what it waits for. */
  #waitsFor(lane: Lane, id: number, site: number): void {
    if (!this.#order) return;
    this.#edgesFrom(lane, id, site);
    if (!lane.actor) return;
    this.#edgesFrom(lane.actor, id, site);
    this.#edge(IRQS_OFF, id, "an interrupt", site);
    if (id < IRQS_OFF) this.#order.waitedInIrq(id, this.#where(site));
  }

  #edgesFrom(lane: Lane, id: number, site: number): void {
    for (let i = lane.id * DEPTH; i < lane.id * DEPTH + this.#count[lane.id]; i++) {
      const held = this.#class[i];
      // Of two locks of one class the order can not tell which is which: the operation does.
      if (held === TABLE && id === TABLE && lane.operations[lane.at]?.twoLeaves !== undefined) continue;
      if (this.#order!.lacks(held, id)) this.#edge(held, id, this.#where(this.#site[i]), site);
    }
    if (lane.irqDepth > 0) this.#edge(IRQS_OFF, id, lane.name, site);
    if (lane.readerDepth > 0) this.#edge(READER, id, lane.name, site);
  }

  #edge(held: number, id: number, heldAt: string, site: number): void {
    if (this.#order!.lacks(held, id)) this.#order!.edge(held, id, heldAt, this.#where(site));
  }
}
