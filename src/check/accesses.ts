/**
 * Who touched what last: for each location the latest change and, of each lane, the latest look. What an event depends on is found
 * here, and what it does is noted here; a log undoes the notes of events that are cut off.
 *
 * Locations  4-byte words; a fill or a copy of more than NARROW bytes is an access to a page as a whole. Beyond memory:
 *            each CPU's mask (are interrupts off, is it in a reader section), each address's waiter list.
 *   word     the last change, and each lane's last look        page     the same for accesses to all of it, and of each lane the
 *                                                              last change and look at any of its words
 */
import { Step } from "../core/abi/step.js";
import { type Event, Mark } from "./event.js";
import type { Lane } from "./lane.js";
import { twice } from "./twice.js";

export const LANES = 8;
/** A fill or copy of more bytes than this concerns pages. */
export const NARROW = 1024;
const PAGE_SHIFT = 12;
/** Words of a page. */
const PAGE_WORDS_SHIFT = PAGE_SHIFT - 2;
const MASK_TRANSITIONS = new Uint8Array(64);
for (const mark of [Mark.IrqOff, Mark.IrqOn, Mark.RcuEnter, Mark.RcuExit]) MASK_TRANSITIONS[mark] = 1;

export class Accesses {
  /** Places of earlier events that the event of gather() may depend on, latest first; `found` of them, perhaps one twice. */
  candidates = new Int32Array(256);
  found = 0;
  readonly #lanes: number;
  readonly #words: number;
  readonly #lastWrite: Int32Array;
  readonly #lastRead: Int32Array;
  readonly #pageWrite: Int32Array;
  readonly #pageRead: Int32Array;
  readonly #wordWriteIn: Int32Array;
  readonly #wordReadIn: Int32Array;
  readonly #tables: readonly Int32Array[];
  /** Undo log: table, index, old value. */
  #log = new Int32Array(3 * 8192);
  #logged = 0;
  /** What the event of gather() touches: first and last location, in pairs. */
  #touched = new Int32Array(256);
  #touching = 0;
  readonly #cpuOf = new Uint8Array(LANES);
  readonly #waiters = new Map<number, number>();

  constructor(memoryBytes: number, lanes: number) {
    if (lanes > LANES) throw new Error(`at most ${LANES} lanes, with their interrupts`);
    this.#lanes = lanes;
    this.#words = memoryBytes >>> 2;
    const locations = this.#words + 1024;
    const pages = (memoryBytes >>> PAGE_SHIFT) + 1;
    const table = (n: number) => new Int32Array(n).fill(-1);
    this.#lastWrite = table(locations);
    this.#lastRead = table(locations * LANES);
    this.#pageWrite = table(pages);
    this.#pageRead = table(pages * LANES);
    this.#wordWriteIn = table(pages * LANES);
    this.#wordReadIn = table(pages * LANES);
    this.#tables = [
      this.#lastWrite,
      this.#lastRead,
      this.#pageWrite,
      this.#pageRead,
      this.#wordWriteIn,
      this.#wordReadIn,
    ];
  }

  /** What undo() takes, to forget what is noted from now on. */
  get logged(): number {
    return this.#logged;
  }

  undo(until: number): void {
    const log = this.#log;
    while (this.#logged > until) {
      this.#logged -= 3;
      this.#tables[log[this.#logged]][log[this.#logged + 1]] = log[this.#logged + 2];
    }
  }

  /** Finds whom an event depends on. */
  gather(lane: Lane, event: Event, wrote: boolean): void {
    this.found = 0;
    this.#touching = 0;
    this.#eachLocation(lane, event, wrote, GATHER);
    if (this.found > 1) this.#sortCandidates();
  }

  /** Notes an event under its place. */
  note(lane: Lane, event: Event, wrote: boolean, place: number): void {
    this.#cpuOf[lane.id] = lane.cpuIndex;
    this.#eachLocation(lane, event, wrote, place);
  }

  /** Whether an access or a mask's change by `lane` touches what the event of gather() touches. */
  meets(lane: number, kind: number, address: number, width: number): boolean {
    if (MASK_TRANSITIONS[kind] === 1) return this.#touchedIn(this.#words + this.#cpuOf[lane], 0);
    if (kind >= Mark.Begin || kind === Step.Fence) return false;
    const first = address >>> 2;
    const last = (address + width - 1) >>> 2;
    const page = (1 << PAGE_WORDS_SHIFT) - 1;
    return width > NARROW
      ? this.#touchedIn(first & ~page, (last | page) - (first & ~page))
      : this.#touchedIn(first, last - first);
  }

  #touchedIn(first: number, more: number): boolean {
    const touched = this.#touched;
    for (let i = 0; i < this.#touching; i += 2) if (touched[i] <= first + more && first <= touched[i + 1]) return true;
    return false;
  }

  /** Visits what the event touches: gathers whom it depends on, or notes it under its place `n`. */
  #eachLocation(lane: Lane, { kind, address, width }: Event, wrote: boolean, n: number): void {
    if (kind < Mark.Begin) {
      if (kind === Step.Fence) return;
      if (width > NARROW) this.#pages(lane.id, address, width, kind === Step.Fill || kind === Step.CopyTo, n);
      else {
        const last = (address + width - 1) >>> 2;
        for (let word = address >>> 2; word <= last; word++) this.#word(lane.id, word, wrote, n, true);
      }
      if (kind === Step.Notify || kind === Step.Wait) this.#word(lane.id, this.#waiterList(address), true, n, false);
      return;
    }
    if (MASK_TRANSITIONS[kind] === 1) {
      if (wrote) this.#word(lane.id, this.#maskOf(lane), true, n, false);
    } else if (kind === Mark.Pause) {
      this.#word(lane.id, address >>> 2, false, n, true);
      for (let i = 0; i < lane.watching; i++) this.#word(lane.id, lane.watched[i] >>> 2, false, n, true);
    } else if (kind === Mark.Wake) {
      this.#word(lane.id, this.#waiterList(address), false, n, false);
    } else if (kind === Mark.Begin && lane.actor) {
      this.#word(lane.id, lane.pendingAddress >>> 2, false, n, true);
      this.#word(lane.id, lane.idleAddress >>> 2, false, n, true);
      this.#word(lane.id, this.#maskOf(lane), false, n, false);
    }
  }

  #maskOf(lane: Lane): number {
    return this.#words + lane.cpuIndex;
  }

  #waiterList(address: number): number {
    let at = this.#waiters.get(address);
    if (at === undefined) {
      at = this.#words + 16 + this.#waiters.size;
      this.#waiters.set(address, at);
    }
    return at;
  }

  #word(lane: number, word: number, write: boolean, n: number, inMemory: boolean): void {
    const page = word >>> PAGE_WORDS_SHIFT;
    if (n !== GATHER) {
      if (write) {
        this.#set(LAST_WRITE, word, n);
        if (inMemory) this.#set(WORD_WRITE_IN, page * LANES + lane, n);
      } else {
        this.#set(LAST_READ, word * LANES + lane, n);
        if (inMemory) this.#set(WORD_READ_IN, page * LANES + lane, n);
      }
      return;
    }
    this.#touch(word, word);
    const last = this.#lastWrite[word];
    this.#gather(last);
    if (write) {
      for (let q = 0, at = word * LANES; q < this.#lanes; q++) {
        const read = this.#lastRead[at + q];
        if (read > last) this.#gather(read);
      }
    }
    if (!inMemory) return;
    this.#gather(this.#pageWrite[page]);
    if (write) for (let q = 0; q < this.#lanes; q++) this.#gather(this.#pageRead[page * LANES + q]);
  }

  #pages(lane: number, address: number, bytes: number, write: boolean, n: number): void {
    const last = (address + bytes - 1) >>> PAGE_SHIFT;
    if (n === GATHER) this.#touch((address >>> PAGE_SHIFT) << PAGE_WORDS_SHIFT, ((last + 1) << PAGE_WORDS_SHIFT) - 1);
    for (let page = address >>> PAGE_SHIFT; page <= last; page++) {
      if (n !== GATHER) {
        if (write) this.#set(PAGE_WRITE, page, n);
        else this.#set(PAGE_READ, page * LANES + lane, n);
        continue;
      }
      this.#gather(this.#pageWrite[page]);
      for (let q = 0, at = page * LANES; q < this.#lanes; q++) {
        this.#gather(this.#wordWriteIn[at + q]);
        if (!write) continue;
        this.#gather(this.#wordReadIn[at + q]);
        this.#gather(this.#pageRead[at + q]);
      }
    }
  }

  #gather(i: number): void {
    if (i < 0) return;
    if (this.found === this.candidates.length) this.candidates = twice(this.candidates);
    this.candidates[this.found++] = i;
  }

  #touch(first: number, last: number): void {
    if (this.#touching + 2 > this.#touched.length) this.#touched = twice(this.#touched);
    this.#touched[this.#touching++] = first;
    this.#touched[this.#touching++] = last;
  }

  /** By insertion: they are few. */
  #sortCandidates(): void {
    const found = this.candidates;
    for (let i = 1; i < this.found; i++) {
      const value = found[i];
      let j = i;
      for (; j > 0 && found[j - 1] < value; j--) found[j] = found[j - 1];
      found[j] = value;
    }
  }

  #set(table: number, index: number, value: number): void {
    if (this.#logged + 3 > this.#log.length) this.#log = twice(this.#log);
    const at = this.#logged;
    const words = this.#tables[table];
    this.#log[at] = table;
    this.#log[at + 1] = index;
    this.#log[at + 2] = words[index];
    this.#logged = at + 3;
    words[index] = value;
  }
}

const GATHER = -1;
const LAST_WRITE = 0;
const LAST_READ = 1;
const PAGE_WRITE = 2;
const PAGE_READ = 3;
const WORD_WRITE_IN = 4;
const WORD_READ_IN = 5;
