/**
 * Happens-before over one execution, kept as it grows and cut back as a search returns to an earlier place.
 *
 * What       each event's clock: how many events of each lane come before it in every equivalent execution. Two events are
 *            dependent when they are of one lane, or touch one location and one of them changes it. A failed
 *            compare-and-swap changes nothing, nor does a store of what was there: swapping it with a read gives the same.
 * Races      as an event is added: each earlier dependent event of another lane with nothing in between that orders the two.
 *            Those, and no others, are what a search must try the other way round.
 * Locations  accesses.ts: words, pages, CPUs' masks, waiter lists.
 *
 * Interrupts are lanes of their own. What they take from the rest of the program:
 *   begins     reads the own pending and idle words and the mask
 *   atomic     their actor stands until they end. So a race of one of their events with a later one of their actor is
 *              tried at the interrupt's beginning, and its races with the mask where the mask was set (reversal.ts).
 *
 * Cost       O(lanes) an event for words.
 */
import { Accesses, LANES } from "./accesses.js";
import { type Event, Mark } from "./event.js";
import type { Lane } from "./lane.js";
import { twice } from "./twice.js";

/** Called for each race of the event that is being added with the earlier one at a place. */
export type OnRace = (earlier: number) => void;

export class HappensBefore {
  /** Number of events. */
  length = 0;
  laneOf = new Uint8Array(4096);
  kind = new Uint8Array(4096);
  address = new Uint32Array(4096);
  width = new Uint32Array(4096);
  site = new Uint32Array(4096);
  wrote = new Uint8Array(4096);
  /** The word at the address before the event. */
  before = new Uint32Array(4096);
  /** clock[i * LANES + q]: events of lane q that happen before i, i itself included. */
  clock = new Uint32Array(4096 * LANES);
  /** count[i * LANES + q]: events of lane q up to i in this execution. */
  count = new Uint32Array(4096 * LANES);
  /** Clock of the event that is being added, as far as known; complete after add(). */
  readonly now = new Uint32Array(LANES);
  readonly without = new Uint32Array(LANES);
  readonly #accesses: Accesses;
  /** What to undo from, by place. */
  #logAt = new Uint32Array(4096);
  /** Place in the execution of each lane's k-th event. */
  readonly #places: Uint32Array[] = Array.from({ length: LANES }, () => new Uint32Array(4096));

  constructor(memoryBytes: number, lanes: number) {
    this.#accesses = new Accesses(memoryBytes, lanes);
  }

  /** Forgets all events from `length` on. */
  cut(length: number): void {
    if (length >= this.length) return;
    this.#accesses.undo(this.#logAt[length]);
    this.length = length;
  }

  /** Adds an event at the end, reporting its races, latest first, before it counts. */
  add(lane: Lane, event: Event, wrote: boolean, before: number, alone: boolean, onRace: OnRace): void {
    if (this.length === this.laneOf.length) this.#grow();
    const n = this.length;
    const q = lane.id;
    this.laneOf[n] = q;
    this.kind[n] = event.kind;
    this.address[n] = event.address;
    this.width[n] = event.width;
    this.site[n] = event.site;
    this.before[n] = before;
    this.wrote[n] = wrote ? 1 : 0;
    this.#logAt[n] = this.#accesses.logged;
    this.#countUp(n, q);
    const own = this.count[n * LANES + q];
    this.#startClock(q, own);
    if (alone) this.#joinAll(n);
    else this.#order(lane, event, wrote, onRace);
    this.now[q] = own;
    this.clock.set(this.now, n * LANES);
    this.#place(q, own, n);
    this.#accesses.note(lane, event, wrote, n);
    this.length++;
  }

  /** The same for two executions exactly when (but for chance, 2^-64) they are one up to the order of independent events. */
  fingerprint(): bigint {
    let low = 0;
    let high = 0;
    for (let i = 0; i < this.length; i++) {
      let h = Math.imul(this.laneOf[i] * 64 + this.kind[i], 0x9e3779b1) ^ Math.imul(this.address[i], 0x85ebca6b);
      let g = Math.imul(this.site[i] + 1, 0xc2b2ae35) ^ this.wrote[i];
      for (let q = 0; q < LANES; q++) {
        h = Math.imul(h ^ this.clock[i * LANES + q], 0x27d4eb2f);
        h ^= h >>> 15;
        g = Math.imul(g ^ h, 0x165667b1);
        g ^= g >>> 13;
      }
      low = (low + h) | 0;
      high = (high + g) | 0;
    }
    return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  }

  /** Whether event i touches a word. */
  coversWord(i: number, word: number): boolean {
    return this.address[i] >>> 2 <= word && word <= (this.address[i] + this.width[i] - 1) >>> 2;
  }

  /** Reports the races that an event would have that did not happen: adds nothing. */
  probe(lane: Lane, event: Event, onRace: OnRace): void {
    if (this.length === this.laneOf.length) this.#grow();
    const n = this.length;
    this.laneOf[n] = lane.id;
    this.wrote[n] = 0;
    this.#countUp(n, lane.id);
    this.#startClock(lane.id, this.count[n * LANES + lane.id]);
    this.#order(lane, event, false, onRace);
  }

  /** Place of the k-th event of a lane (from 1), or -1. */
  placeOf(lane: number, k: number): number {
    return k >= 1 && this.length > 0 && k <= this.countOf(this.length - 1, lane) ? this.#places[lane][k] : -1;
  }

  /** How many events of a lane there are, the one that is being added among them. */
  countNow(lane: number): number {
    return this.count[this.length * LANES + lane];
  }

  /**
   * While an event is being added: its clock if nothing that depends on event e came before it. Undefined when its own lane
   * depends on e already.
   */
  clockWithout(e: number): Uint32Array | undefined {
    const { clock, without } = this;
    const lane = this.laneOf[e];
    const own = this.ownIndex(e);
    const q = this.laneOf[this.length];
    const k = this.countNow(q);
    if (k === 1) without.fill(0);
    else {
      const at = this.#places[q][k - 1] * LANES;
      if (clock[at + lane] >= own) return undefined;
      for (let i = 0; i < LANES; i++) without[i] = clock[at + i];
    }
    let hidden = false;
    const { candidates, found } = this.#accesses;
    for (let k = 0; k < found; k++) {
      const i = candidates[k];
      if (i <= e) continue;
      if (clock[i * LANES + lane] >= own) hidden = true;
      else this.#joinWithout(i);
    }
    // What a dependent of e hides, an earlier change of the same word, may be needed all the same.
    if (hidden) {
      for (let i = e + 1; i < this.length; i++) {
        if (clock[i * LANES + lane] < own && this.laneOf[i] !== q && this.#meets(i)) this.#joinWithout(i);
      }
    }
    return without;
  }

  #joinWithout(i: number): void {
    const { clock, without } = this;
    for (let r = 0, at = i * LANES; r < LANES; r++) if (clock[at + r] > without[r]) without[r] = clock[at + r];
  }

  /** Whether the event that is being added depends on event i. */
  #meets(i: number): boolean {
    if (this.wrote[i] === 0 && this.wrote[this.length] === 0) return false;
    return this.#accesses.meets(this.laneOf[i], this.kind[i], this.address[i], this.width[i]);
  }

  countOf(i: number, lane: number): number {
    return i < 0 ? 0 : this.count[i * LANES + lane];
  }

  /** The event itself is the k-th of its lane. */
  ownIndex(i: number): number {
    return this.count[i * LANES + this.laneOf[i]];
  }

  /** The last change of `word` before place i, or -1: from the log's point of view, the chain of writes. */
  writeBefore(i: number, address: number): number {
    for (let j = i - 1; j >= 0; j--) {
      if (this.wrote[j] === 1 && this.kind[j] < Mark.Begin && this.address[j] >>> 2 === address >>> 2) return j;
    }
    return -1;
  }

  #countUp(n: number, q: number): void {
    const at = n * LANES;
    if (n === 0) this.count.fill(0, 0, LANES);
    else this.count.copyWithin(at, at - LANES, at);
    this.count[at + q]++;
  }

  #startClock(q: number, own: number): void {
    if (own === 1) this.now.fill(0);
    else {
      const at = this.#places[q][own - 1] * LANES;
      for (let i = 0; i < LANES; i++) this.now[i] = this.clock[at + i];
    }
  }

  #place(q: number, k: number, n: number): void {
    let places = this.#places[q];
    if (k >= places.length) places = this.#places[q] = twice(places);
    places[k] = n;
  }

  /** What only happens when nobody else can go on comes after everything. */
  #joinAll(n: number): void {
    for (let i = 0; i < LANES; i++) this.now[i] = n === 0 ? 0 : this.count[(n - 1) * LANES + i];
  }

  /** Finds the earlier events that the new one depends on; reports races; joins clocks. */
  #order(lane: Lane, event: Event, wrote: boolean, onRace: OnRace): void {
    this.#accesses.gather(lane, event, wrote);
    const { candidates, found } = this.#accesses;
    const { now, clock } = this;
    for (let k = 0; k < found; k++) {
      const i = candidates[k];
      if (k > 0 && i === candidates[k - 1]) continue;
      const other = this.laneOf[i];
      if (other === lane.id || now[other] >= this.count[i * LANES + other]) continue;
      onRace(i);
      for (let q = 0, at = i * LANES; q < LANES; q++) if (clock[at + q] > now[q]) now[q] = clock[at + q];
    }
  }

  #grow(): void {
    this.laneOf = twice(this.laneOf);
    this.kind = twice(this.kind);
    this.address = twice(this.address);
    this.width = twice(this.width);
    this.site = twice(this.site);
    this.wrote = twice(this.wrote);
    this.before = twice(this.before);
    this.clock = twice(this.clock);
    this.count = twice(this.count);
    this.#logAt = twice(this.#logAt);
  }
}
