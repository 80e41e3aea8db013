/**
 * The oracle of results: is there a one-at-a-time order, each action between its call and its return, that gives what
 * was returned and read?
 *
 *   page 5000    map ├────────┤
 *                      write 7 ├──┤        read 7 ├───┤
 *                                 unmap ├──────┤            the read overlaps the removal: it may still see the old page
 *
 * A call over many pages counts as one action a page, so every place is judged alone: a search over the orders of a few
 * actions. A place is an address in every space, and the page of the object that is mapped there (cell.ts).
 * Removal    (unmap, a map over something, zeroing, rights taken away, a file made shorter) takes effect on each CPU at its own
 *            moment: until it returns, an access that overlaps it may see the old page, rights and contents, or the new one.
 * Fork       the child's page is the parent's at one moment between call and return; afterwards they are two pages.
 * Copies     of a private mapping's first write may be of the object's page as it was at any moment since the write began: what
 *            another mapping, or the host, stores into it meanwhile may be missing.
 * The search is exhaustive: an answer of "no order" is a fact; the actions of a place are few.
 */
import { type Backing, type Cell, EMPTY, inObject, mapped, outcomes } from "./cell.js";
import type { PageAction } from "./operations.js";

export interface Timed {
  action: PageAction;
  lane: number;
  /** Number of the space that it was done in (host.ts). */
  space?: number;
  begin: number;
  /** Infinity while it has not returned. */
  end: number;
}

/** An action that concerns every page of a space. */
export const EVERYWHERE = -1;

export class History {
  readonly #pages = new Map<number, Timed[]>();
  readonly #everywhere: Timed[] = [];
  readonly #initial = new Map<number, readonly Cell[]>();
  /** Memory may run out: who says so did nothing. */
  scarce = false;

  /** The page is mapped before anything runs. */
  mapped(page: number, prot: number, space = 0, backing: Backing = "anonymous"): void {
    this.#initially(page, (cell) => mapped(cell, space, prot, backing));
  }

  /** The page belongs to a stack that grows at the first access: as if mapped, unless there is no memory to grow. */
  growable(page: number, prot: number): void {
    const grown = mapped(EMPTY, 0, prot, "anonymous");
    this.#initial.set(page, this.scarce ? [grown, EMPTY] : [grown]);
  }

  /** A page of an object is mapped at `page`, where it is mapped; with these bytes, the others zero; past the file's end without. */
  object(page: number, bytes: ReadonlyMap<number, number> | undefined): void {
    if (bytes) this.#initially(page, (cell) => inObject(cell, bytes));
  }

  clear(): void {
    this.#pages.clear();
    this.#everywhere.length = 0;
  }

  add(page: number, timed: Timed): void {
    if (page === EVERYWHERE) {
      this.#everywhere.push(timed);
      return;
    }
    const list = this.#pages.get(page);
    if (list) list.push(timed);
    else this.#pages.set(page, [timed]);
  }

  /** The bytes of a page that anybody read or wrote. */
  offsets(page: number): Set<number> {
    const found = new Set<number>();
    for (const { action } of this.#pages.get(page) ?? []) if ("offset" in action) found.add(action.offset);
    return found;
  }

  /** The first page whose results no order gives, with its actions; undefined when all are explained. */
  unexplained(): { page: number; actions: readonly Timed[] } | undefined {
    for (const [page, own] of this.#pages) {
      const actions = this.#everywhere.length === 0 ? own : [...own, ...this.#everywhere];
      const effective = this.scarce ? actions.filter(({ action }) => action.kind !== "oom") : actions;
      const initial = this.#initial.get(page) ?? [EMPTY];
      if (!initial.some((cell) => explains(cell, effective))) return { page, actions };
    }
    return undefined;
  }

  #initially(page: number, change: (cell: Cell) => Cell): void {
    this.#initial.set(page, (this.#initial.get(page) ?? [EMPTY]).map(change));
  }
}

function explains(cell: Cell, left: readonly Timed[]): boolean {
  if (left.length === 0) return true;
  const firstEnd = Math.min(...left.map(({ end }) => end));
  for (const timed of left) {
    // What began after another returned can not come before it.
    if (timed.begin > firstEnd) continue;
    const rest = left.filter((other) => other !== timed);
    for (const after of outcomes(cell, timed)) if (explains(after, rest)) return true;
  }
  return false;
}
