/**
 * What Linux does in a fault or a call and the core does not, as costs and lines of the model: explicit, each its own constant.
 *
 *   fault enters    the prefetch of mmapLock's line for writing (x86)
 *   a frame         each `zoneBatch` frames the zone's lock, one a socket, held for as long as that many frames take
 *   a page          each `lruBatch` pages the LRU lock, one a socket; each `chargeBatch` pages, `chargeLevels` atomic additions to
 *                   the counters of the memory cgroup, one line each for the whole machine
 *   an unmapping    the LRU lock to take the pages off the list (release_pages), every 32 of them; and, until 6.13, to drain what
 *                   the CPU gathered (lru_add_drain)
 *                   an atomic addition to the space's count of unmappings under way, one to its flushes' number, and one back
 *   a VMA           for `spf-counted` only: one atomic up and one down around the copy of the VMA
 *   the rest        `software`: what is left of a one-thread fault once the core and the above are paid
 */
import { Watch } from "../core/abi/watch.js";
import type { LineStep, Processor, Step } from "./processor.js";
import { Touch } from "./processor.js";
import type { Simulator } from "./simulator.js";

/** Linux: SWAP_CLUSTER_MAX, after which release_pages drops the LRU lock. */
const RELEASED = 32;
/** Copying a VMA of 200 bytes, between counting up and down. */
const COPY_NS = 30;

export class Linux {
  readonly #prefetch: LineStep | undefined;
  readonly #count: LineStep | undefined;
  /** The space's counter of unmappings under way, and its flushes' number: none or one. */
  readonly #pending: LineStep[];
  readonly #generation: LineStep[];
  readonly #zones: LineStep[];
  readonly #lists: LineStep[];
  readonly #counters: LineStep[];
  readonly #taken: Uint32Array;
  /** Pages gathered for the LRU list, by CPU. */
  readonly #gathered: Uint32Array;
  /** Of them, those that were unmapped since. */
  readonly #gone: Uint32Array;
  readonly #zapDrains: boolean;
  readonly #lruHoldNs: number;
  readonly #offsets: readonly (readonly [number, number, number])[];
  readonly #batches: readonly [number, number, number];

  constructor(sim: Simulator, sockets: number, counted: boolean, seedOf: (bound: number) => number) {
    const { values, net } = sim;
    const mmapLock = net.lines.recordOf(sim.core.core.watched(Watch.MmapLock, 0));
    if (values.prefetchLock !== 0) this.#prefetch = { record: mmapLock, kind: Touch.Prefetch, holdNs: 0, lines: 0 };
    if (counted) this.#count = { record: net.lines.add(), kind: Touch.Atomic, holdNs: 0, lines: 0 };
    const each = (n: number, kind: Touch, holdNs: number, lines = 0) =>
      Array.from({ length: n }, () => ({ record: net.lines.add(), kind, holdNs, lines }));
    this.#batches = [values.zoneBatch, values.lruBatch, values.chargeBatch];
    this.#zones = each(sockets, Touch.Lock, values.zoneHold * values.zoneBatch);
    this.#lists = each(sockets, Touch.Lock, 0, values.lruLines);
    this.#pending = each(values.zapPending, Touch.Atomic, 0);
    this.#generation = each(values.tlbGeneration, Touch.Atomic, 0);
    this.#counters = each(values.chargeLevels, Touch.Atomic, 0);
    this.#taken = new Uint32Array(sim.cpus.length);
    this.#gathered = new Uint32Array(sim.cpus.length);
    this.#gone = new Uint32Array(sim.cpus.length);
    this.#zapDrains = values.zapDrains !== 0;
    this.#lruHoldNs = values.lruHold;
    this.#offsets = sim.cpus.map(() => this.#batches.map((batch) => seedOf(batch)) as [number, number, number]);
  }

  /** As the fault enters. */
  *entry(): Generator<Step, void, number> {
    if (this.#prefetch) yield this.#prefetch;
    if (!this.#count) return;
    yield this.#count;
    yield COPY_NS;
    yield this.#count;
  }

  /** For a page that is to be mapped. */
  *page(cpu: Processor): Generator<Step, void, number> {
    const n = ++this.#taken[cpu.index];
    const [zone, list, charge] = this.#offsets[cpu.index];
    const [zoneBatch, lruBatch, chargeBatch] = this.#batches;
    if ((n + zone) % zoneBatch === 0) yield this.#zones[cpu.socket];
    if ((n + charge) % chargeBatch === 0) for (const counter of this.#counters) yield counter;
    this.#gathered[cpu.index]++;
    if ((n + list) % lruBatch === 0) yield* this.#drain(cpu);
  }

  /**
   * `pages` pages are unmapped. With `zapDrains` what this CPU gathered goes to the list first; else those of them that it gathered
   * last stay gathered, and are freed when the rest goes to the list. They are taken off it a few at a time.
   */
  *unmap(cpu: Processor, pages: number): Generator<Step, void, number> {
    const { index } = cpu;
    yield* this.#pending;
    if (this.#zapDrains) yield* this.#drain(cpu);
    const kept = Math.min(pages, this.#gathered[index] - this.#gone[index]);
    this.#gone[index] += kept;
    yield* this.#release(cpu, pages - kept);
    yield* this.#generation;
  }

  /** The call is over. */
  *unmapped(): Generator<Step, void, number> {
    yield* this.#pending;
  }

  *#drain(cpu: Processor): Generator<Step, void, number> {
    const pages = this.#gathered[cpu.index];
    const gone = this.#gone[cpu.index];
    this.#gathered[cpu.index] = 0;
    this.#gone[cpu.index] = 0;
    if (pages > 0) yield this.#listFor(cpu, pages);
    yield* this.#release(cpu, gone);
  }

  *#release(cpu: Processor, pages: number): Generator<Step, void, number> {
    for (let left = pages; left > 0; left -= RELEASED) yield this.#listFor(cpu, Math.min(left, RELEASED));
  }

  #listFor(cpu: Processor, pages: number): LineStep {
    return { ...this.#lists[cpu.socket], holdNs: this.#lruHoldNs * pages };
  }
}
