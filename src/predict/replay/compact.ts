/**
 * Addresses, moved together: stretches in which nothing begins, ends or is touched become one slot each.
 *
 *   slot     2 MiB, the reach of a page table: pages that shared one still do, those that did not, do not
 *   before   │A .. B│      │      │      │C .. D│      after   │A .. B│      │C .. D│
 *
 * Promise   order is kept; two addresses of one slot, or of a range that was kept whole, are as far apart as before.
 */
import { bisect } from "./bisect.js";

const SLOT = 2 << 20;

export class Compact {
  readonly #used = new Set<number>();
  #slots: number[] = [];
  #places: number[] = [];

  /** A page that is touched. */
  keep(address: number): void {
    this.#used.add(Math.floor(address / SLOT));
  }

  /** A range that begins and ends here; `whole`: nothing inside it goes. */
  keepRange(start: number, end: number, whole: boolean): void {
    this.keep(start);
    this.keep(end - 1);
    if (whole) for (let at = start; at < end; at += SLOT) this.keep(at);
  }

  /** All was kept: bytes from the first address to the last. */
  settle(): number {
    this.#slots = [...this.#used].sort((a, b) => a - b);
    let place = -1;
    this.#places = this.#slots.map((slot, i) => {
      place += i > 0 && this.#slots[i - 1] !== slot - 1 ? 2 : 1;
      return place;
    });
    return (place + 2) * SLOT;
  }

  /** Where an address is now: a page that was kept, or the end of a range that was. */
  at(address: number): number {
    const slot = Math.floor(address / SLOT);
    const last = bisect(this.#slots.length, (place) => this.#slots[place] > slot) - 1;
    if (last < 0) return 0;
    // Of a stretch that went, only the beginning is ever asked for.
    return this.#slots[last] === slot ? this.#places[last] * SLOT + (address % SLOT) : (this.#places[last] + 1) * SLOT;
  }
}
