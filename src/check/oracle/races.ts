/**
 * Data races: two accesses of two CPUs to one place, at least one of which writes and one is plain, and nothing orders them.
 *
 *   word   of 4 bytes   4 times a CPU: its last plain read, plain write, atomic read, atomic write
 *   frame               6 times a CPU: the last access to any word, read and write; whole reads and writes (a page copied,
 *                       a page zeroed or copied into, a frame freed or taken); the guest's reads and writes
 *
 * Whole       to free a frame is to write all of it, so a frame that was freed and taken again between two accesses of
 *             a walker is found even though it is in use at both. A fill of a page costs no more than one access.
 * Guest       copies between a bounce buffer and a page race with each other as they like, with nothing else.
 * Why one time a CPU and kind is enough   a CPU's later access is ordered after its earlier ones: whoever is ordered
 *             after the last is ordered after all.
 * Blind to    races inside one word of 4 bytes are races of the word: the memory manager has no smaller fields.
 */
import type { Clocks } from "./clocks.js";

export enum Access {
  PlainRead = 0,
  PlainWrite = 1,
  AtomicRead = 2,
  AtomicWrite = 3,
}

export enum Page {
  Read = 0,
  Write = 1,
  WholeRead = 2,
  WholeWrite = 3,
  GuestRead = 4,
  GuestWrite = 5,
}

const KINDS = 4;
const PAGE_KINDS = 6;

/** What each access to a frame must be ordered after, of the kinds that words do not tell. */
const PAGE_AFTER = new Uint8Array([0b101000, 0b111100, 0b101010, 0b111111, 0b001010, 0b001111]);

/** The earlier access of a race. */
export interface Earlier {
  cpu: number;
  time: number;
}

export class Races {
  /** Row by row, what each CPU knows of the others: the clocks' own table. */
  readonly #known: Uint32Array;
  readonly #clocks: Clocks;
  readonly #cpus: number;
  readonly #words: Uint32Array;
  readonly #pages: Uint32Array;

  constructor(clocks: Clocks, words: number) {
    this.#clocks = clocks;
    this.#known = clocks.known;
    this.#cpus = clocks.cpus;
    this.#words = new Uint32Array(words * this.#cpus * KINDS);
    this.#pages = new Uint32Array((words >>> 10) * this.#cpus * PAGE_KINDS);
  }

  clear(): void {
    this.#words.fill(0);
    this.#pages.fill(0);
  }

  /** Notes an access to one word; the unordered earlier one, if there is one. */
  word(cpu: number, time: number, word: number, access: Access): Earlier | undefined {
    const cpus = this.#cpus;
    const words = this.#words;
    let at = word * cpus * KINDS;
    words[at + cpu * KINDS + access] = time;
    for (let other = 0; other < cpus; other++, at += KINDS) {
      if (other === cpu) continue;
      const known = this.#known[cpu * cpus + other];
      if (words[at + 1] > known) return { cpu: other, time: words[at + 1] };
      if (access === Access.AtomicRead) continue;
      if (access !== Access.AtomicWrite && words[at + 3] > known) return { cpu: other, time: words[at + 3] };
      if (access !== Access.PlainRead && words[at] > known) return { cpu: other, time: words[at] };
      if (access === Access.PlainWrite && words[at + 2] > known) return { cpu: other, time: words[at + 2] };
    }
    return undefined;
  }

  /** Notes an access to a frame; the unordered earlier one, if there is one. */
  page(cpu: number, time: number, page: number, access: Page): Earlier | undefined {
    const cpus = this.#cpus;
    const mask = PAGE_AFTER[access];
    const pages = this.#pages;
    let at = page * cpus * PAGE_KINDS;
    pages[at + cpu * PAGE_KINDS + access] = time;
    for (let other = 0; other < cpus; other++, at += PAGE_KINDS) {
      if (other === cpu) continue;
      const known = this.#known[cpu * cpus + other];
      if (pages[at + Page.WholeWrite] > known) return { cpu: other, time: pages[at + Page.WholeWrite] };
      if (access === Page.Read && pages[at + Page.GuestWrite] <= known) continue;
      for (let kind = 0; kind < PAGE_KINDS; kind++) {
        if (pages[at + kind] > known && (mask & (1 << kind)) !== 0) return { cpu: other, time: pages[at + kind] };
      }
    }
    return undefined;
  }

  /** Whether the CPU's whole write is the last thing that happened to the frame, for all this CPU knows. */
  untouchedSince(cpu: number, page: number): boolean {
    const at = (page * this.#cpus + cpu) * PAGE_KINDS;
    const mine = this.#pages[at + Page.WholeWrite];
    for (let kind = 0; kind < PAGE_KINDS; kind++) if (this.#pages[at + kind] > mine) return false;
    return mine > this.#clocks.base;
  }
}
