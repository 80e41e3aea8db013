/**
 * The oracle of results: is there a one-at-a-time order, each action between its call and its return, that gives what
 * was returned and read?
 *
 *   page 5000    map ├────────┤
 *                      write 7 ├──┤        read 7 ├───┤
 *                                 unmap ├──────┤            the read overlaps the removal: it may still see the old page
 *
 * A call over many pages counts as one action a page, so every page is judged alone: a search over the orders of a few
 * actions. A removal (unmap, a map over something, zeroing, rights taken away) takes effect on each CPU at its own
 * moment: until it returns, an access that overlaps it may see the old page, rights and contents, or the new one.
 * The search is exhaustive: an answer of "no order" is a fact; the actions of a page are few.
 */
import { Prot } from "../core/abi/mman.js";
import type { PageAction } from "./operations.js";

export interface Timed {
  action: PageAction;
  lane: number;
  begin: number;
  /** Infinity while it has not returned. */
  end: number;
}

interface PageState {
  /** undefined: not mapped. */
  prot: number | undefined;
  bytes: ReadonlyMap<number, number>;
}

/** A page as it was before a removal, which accesses that began before `until` may still use. */
interface Shadow {
  page: PageState;
  until: number;
  /** The frame is still the page's own: only rights changed. */
  shared: boolean;
}

const NOTHING: ReadonlyMap<number, number> = new Map();
const UNMAPPED: PageState = { prot: undefined, bytes: NOTHING };

export class History {
  readonly #pages = new Map<number, Timed[]>();
  readonly #initial = new Map<number, readonly PageState[]>();
  /** Memory may run out: who says so did nothing. */
  scarce = false;

  /** The page is mapped before anything runs. */
  mapped(page: number, prot: number): void {
    this.#initial.set(page, [{ prot, bytes: NOTHING }]);
  }

  /** The page belongs to a stack that grows at the first access: as if mapped, unless there is no memory to grow. */
  growable(page: number, prot: number): void {
    const grown = { prot, bytes: NOTHING };
    this.#initial.set(page, this.scarce ? [grown, UNMAPPED] : [grown]);
  }

  clear(): void {
    this.#pages.clear();
  }

  add(page: number, timed: Timed): void {
    const list = this.#pages.get(page);
    if (list) list.push(timed);
    else this.#pages.set(page, [timed]);
  }

  /** The first page whose results no order gives, with its actions; undefined when all are explained. */
  unexplained(): { page: number; actions: readonly Timed[] } | undefined {
    for (const [page, actions] of this.#pages) {
      const effective = this.scarce ? actions.filter(({ action }) => action.kind !== "oom") : actions;
      const initial = this.#initial.get(page) ?? [UNMAPPED];
      if (!initial.some((state) => explains(state, [], effective))) return { page, actions };
    }
    return undefined;
  }
}

function explains(state: PageState, shadows: readonly Shadow[], left: readonly Timed[]): boolean {
  if (left.length === 0) return true;
  const firstEnd = Math.min(...left.map(({ end }) => end));
  for (const timed of left) {
    // What began after another returned can not come before it.
    if (timed.begin > firstEnd) continue;
    const rest = left.filter((other) => other !== timed);
    for (const [page, after] of outcomes(state, shadows, timed)) if (explains(page, after, rest)) return true;
  }
  return false;
}

/** Every state the action may lead to here, given what it returned; none when it can not come here. */
function outcomes(
  state: PageState,
  shadows: readonly Shadow[],
  { action, begin, end }: Timed,
): [PageState, readonly Shadow[]][] {
  switch (action.kind) {
    case "map":
      return [[{ prot: action.prot, bytes: NOTHING }, remember(shadows, state, end, false)]];
    case "unmap":
      return [[UNMAPPED, remember(shadows, state, end, false)]];
    case "zero": {
      const zeroed: [PageState, readonly Shadow[]] = [
        { prot: state.prot, bytes: NOTHING },
        remember(shadows, state, end, false),
      ];
      if (state.prot === undefined) return action.sure ? [] : [[state, shadows]];
      return [zeroed];
    }
    case "protect": {
      const changed: [PageState, readonly Shadow[]] = [
        { prot: action.prot, bytes: state.bytes },
        remember(shadows, state, end, true),
      ];
      if (state.prot === undefined) return action.sure ? [] : [[state, shadows]];
      return action.sure ? [changed] : [changed, [state, shadows]];
    }
    case "oom":
      return [];
    default:
      return accesses(state, shadows, action, begin);
  }
}

type Access = Extract<PageAction, { kind: "read" | "write" }>;

function accesses(
  state: PageState,
  shadows: readonly Shadow[],
  access: Access,
  begin: number,
): [PageState, readonly Shadow[]][] {
  const found: [PageState, readonly Shadow[]][] = [];
  const now = accessOne(state, access);
  if (now) found.push([now, shadows]);
  shadows.forEach((shadow, i) => {
    if (begin > shadow.until) return;
    const old = accessOne(shadow.shared ? { prot: shadow.page.prot, bytes: state.bytes } : shadow.page, access);
    if (!old) return;
    if (shadow.shared) found.push([{ prot: state.prot, bytes: old.bytes }, shadows]);
    else found.push([state, shadows.with(i, { ...shadow, page: old })]);
  });
  return found;
}

/** The page after the access, or undefined when the access can not have ended as it did. */
function accessOne(page: PageState, access: Access): PageState | undefined {
  const rights = page.prot ?? 0;
  if (access.kind === "read") {
    const allowed = (rights & (Prot.Read | Prot.Write)) !== 0;
    const value = allowed ? (page.bytes.get(access.offset) ?? 0) : undefined;
    return value === access.value ? page : undefined;
  }
  const allowed = (rights & Prot.Write) !== 0;
  if (allowed !== access.done) return undefined;
  if (!access.done) return page;
  return { prot: page.prot, bytes: new Map(page.bytes).set(access.offset, access.value) };
}

function remember(shadows: readonly Shadow[], page: PageState, until: number, shared: boolean): readonly Shadow[] {
  if (page.prot === undefined) return shadows;
  // Shadows that shared the page's frame keep it, as it was, when the page loses it.
  const kept = shared
    ? shadows
    : shadows.map((s) => (s.shared ? { ...s, page: { prot: s.page.prot, bytes: page.bytes }, shared } : s));
  return [...kept, { page, until, shared }];
}
