/**
 * The order of locks, over all executions seen: an edge A → B once B was waited for, or could have been, while A was held.
 *
 *   table, level 2 ─▶ table, level 1 ─▶ table, level 0 ─▶ free-list lock ─▶ global frame lock
 *
 * Circle      some interleaving can close it, though this one did not: a violation.
 * Classes     all locks of one kind are one, page tables' one a level: so a parent before its child is no circle, and two
 *             of one level would be.
 * More than locks   whoever waits for an acknowledgement waits for a section with interrupts off to end, and whoever waits
 *             for a grace period for reader sections: both are held and waited for like locks.
 * Drawn       what docs/concurrency.md draws counts as seen, so that the opposite is found though no execution closed a circle.
 * Trylocks    are held, but never waited for: no edge leads to them.
 * Interrupts  a lock that an interrupt waits for, and that is also held with interrupts on, can be waited for by its holder.
 */
import { Watch } from "../../core/abi/watch.js";
import { Violation } from "../violation.js";
import { CLASSES, className, IRQS_OFF, LEVELS, TABLE } from "./known.js";

const DRAWN_ONLY = 1;
const SEEN = 2;

const DRAWN: readonly (readonly [number, number])[] = [
  [Watch.MmapLock, Watch.VmaLock],
  [Watch.VmaLock, TABLE + LEVELS - 1],
  [Watch.MmapLock, Watch.ReleasedLock],
  ...[Watch.VmaSlab, Watch.NodeSlab, Watch.ObjectSlab, Watch.BlockLock].flatMap((lock) => [
    [Watch.MmapLock, lock] as const,
    [lock, Watch.FreeLock] as const,
  ]),
  [Watch.FreeLock, Watch.FrameLock],
  ...Array.from({ length: LEVELS - 1 }, (_, level) => [TABLE + level + 1, TABLE + level] as const),
  [TABLE, IRQS_OFF],
];

interface Edge {
  held: string;
  taken: string;
}

/** What an order has seen, as plain data. */
export interface SeenOrder {
  readonly edges: readonly { held: number; taken: number; heldAt: string; takenAt: string }[];
  readonly inIrq: readonly (string | undefined)[];
  readonly irqsOn: readonly (string | undefined)[];
}

export class LockOrder {
  readonly #edges: (Edge | undefined)[] = Array.from({ length: CLASSES * CLASSES });
  readonly #has = new Uint8Array(CLASSES * CLASSES);
  readonly #inIrq: (string | undefined)[] = Array.from({ length: CLASSES });
  readonly #irqsOn: (string | undefined)[] = Array.from({ length: CLASSES });

  constructor() {
    for (const [held, taken] of DRAWN) this.#add(held, taken, DRAWN_ONLY, "as it is drawn", "as it is drawn");
  }

  /** True when the edge was not seen yet: say then, to edge(), where it was. */
  lacks(held: number, taken: number): boolean {
    return this.#has[held * CLASSES + taken] !== SEEN;
  }

  edge(held: number, taken: number, heldAt: string, takenAt: string): void {
    this.#add(held, taken, SEEN, heldAt, takenAt);
  }

  #add(held: number, taken: number, how: number, heldAt: string, takenAt: string): void {
    this.#has[held * CLASSES + taken] = how;
    this.#edges[held * CLASSES + taken] = { held: heldAt, taken: takenAt };
    const way = this.#way(taken, held, []);
    if (!way) return;
    const circle = [held, ...way];
    const told = circle.map((from, i) => this.#tell(from, circle[(i + 1) % circle.length]));
    throw new Violation("order", told.join("; "));
  }

  /** An interrupt waits for the lock. */
  waitedInIrq(id: number, place: string): void {
    this.#inIrq[id] ??= place;
    this.#mustNotInvert(id);
  }

  /** An actor holds the lock while interrupts are on. */
  heldIrqsOn(id: number, place: string): void {
    this.#irqsOn[id] ??= place;
    this.#mustNotInvert(id);
  }

  knowsIrqsOn(id: number): boolean {
    return this.#irqsOn[id] !== undefined;
  }

  /** Every edge seen, in words: "A → B". */
  get edges(): string[] {
    const told: string[] = [];
    for (let i = 0; i < this.#has.length; i++) {
      if (this.#has[i] === SEEN) told.push(`${className(Math.floor(i / CLASSES))} → ${className(i % CLASSES)}`);
    }
    return told;
  }

  /** For another order to join: workers that explore one scenario see it in parts. */
  get seen(): SeenOrder {
    const edges = this.#edges.flatMap((edge, i) => {
      if (!edge || this.#has[i] !== SEEN) return [];
      return [{ held: Math.floor(i / CLASSES), taken: i % CLASSES, heldAt: edge.held, takenAt: edge.taken }];
    });
    return { edges, inIrq: [...this.#inIrq], irqsOn: [...this.#irqsOn] };
  }

  /** Throws the Violation that what both have seen amounts to. */
  join({ edges, inIrq, irqsOn }: SeenOrder): void {
    for (const { held, taken, heldAt, takenAt } of edges) {
      if (this.lacks(held, taken)) this.edge(held, taken, heldAt, takenAt);
    }
    for (let id = 0; id < CLASSES; id++) {
      const [irq, on] = [inIrq[id], irqsOn[id]];
      if (irq !== undefined) this.waitedInIrq(id, irq);
      if (on !== undefined) this.heldIrqsOn(id, on);
    }
  }

  #mustNotInvert(id: number): void {
    const irq = this.#inIrq[id];
    const on = this.#irqsOn[id];
    if (irq === undefined || on === undefined) return;
    throw new Violation(
      "order",
      `${className(id)} is waited for by an interrupt (${irq}) and held with interrupts on (${on})`,
    );
  }

  /** The classes from `from` to `to` along edges, `to` left out. */
  #way(from: number, to: number, seen: number[]): number[] | undefined {
    if (from === to) return [];
    if (seen.includes(from)) return undefined;
    seen.push(from);
    for (let next = 0; next < CLASSES; next++) {
      if (!this.#has[from * CLASSES + next]) continue;
      const rest = this.#way(next, to, seen);
      if (rest) return [from, ...rest];
    }
    return undefined;
  }

  #tell(from: number, to: number): string {
    const { held, taken } = this.#edges[from * CLASSES + to]!;
    return `${className(from)} (${held}), then ${className(to)} (${taken})`;
  }
}
