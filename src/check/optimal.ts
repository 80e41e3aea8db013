/**
 * Every execution exactly once for each order of its dependent events: optimal dynamic partial-order reduction with wakeup
 * trees (Abdulla, Aronis, Jonsson, Sagonas, JACM 2017).
 *
 * Problem    exhaustive.ts notes one lane for a race. What follows that lane is chosen freely, and may turn out to be known:
 *            such executions are given up half way.
 * Idea       note the whole sequence that shows the race the other way round. Sequences of one place make a tree; an
 *            execution follows the leftmost branch to its leaf before anything is chosen freely.
 *   v          the events after e that do not depend on e, then the later event of the race
 *   insert     a branch that begins with an event that v can begin with (or that depends on nothing in v) is followed, v without
 *            that event; where no branch does, what is left of v is a new one. At a leaf everything is going to be tried.
 *   when       races are looked at when the execution is over, those of the way down anew: v then holds all there is.
 * Unsure     waits and interrupts can be impossible where a branch wants them, and what it would have led to is then lost;
 *            accesses that overlap in part lose some, too (both are found by test, not understood). Where one was met the
 *            exploration does not claim to be complete; exhaustive.ts takes all of them into account.
 * Cost       memory: a tree for each place of the way down.
 */
import { Step } from "../core/abi/step.js";
import { LANES, NARROW } from "./accesses.js";
import { overlap } from "./depends.js";
import { type Event, Mark } from "./event.js";
import { Exhaustive } from "./exhaustive.js";
import type { Lane } from "./lane.js";

/** A step to be taken, and what may follow it. */
interface Branch {
  readonly lane: number;
  readonly step: StoredStep;
  branches: Branch[];
}

interface StoredStep {
  readonly kind: number;
  readonly address: number;
  readonly width: number;
  readonly wrote: boolean;
  /** The beginning of an actor's operation: nothing depends on it. */
  readonly local: boolean;
}

/** An event of v, with the clock it has there. */
interface Ordered {
  readonly lane: number;
  readonly step: StoredStep;
  readonly clock: Uint32Array;
}

interface Race {
  /** Places of the earlier event and of the later. */
  readonly e: number;
  readonly at: number;
  readonly newest: Ordered;
}

export class Optimal extends Exhaustive {
  /** By place: branches to be tried. */
  readonly #trees: Branch[][] = [];
  /** What the branch that is being followed says of the next places. */
  #follow: Branch[] = [];
  readonly #races: Race[] = [];
  /** A lane waited or was interrupted, or two accesses overlap without being of one place. */
  #unsure = false;
  /** Of each word, where the access that covers it begins and how wide it is. */
  readonly #shapes = new Map<number, number>();

  override get bounded(): boolean {
    return this.#unsure;
  }

  override get claim(): string {
    if (!this.#unsure) return super.claim;
    return "executions up to the order of independent events; lanes waited, or accesses overlap in part: not surely every one";
  }

  override carriesOn(lane: Lane): boolean {
    if (this.fresh && this.#follow.length > 0) return this.#follow[0].lane === lane.id;
    return super.carriesOn(lane);
  }

  override choose(enabled: readonly Lane[], last: Lane | undefined): Lane | undefined {
    if (!this.fresh || this.#follow.length === 0) return super.choose(enabled, last);
    const wanted = this.#follow[0].lane;
    const chosen = enabled.find((lane) => lane.id === wanted) ?? enabled.find((lane) => lane.actor?.id === wanted);
    if (chosen && (this.asleep[this.depth] & (1 << chosen.id)) === 0) return chosen;
    this.figures.blocked++;
    return undefined;
  }

  override performed(lane: Lane, event: Event, wrote: boolean, before: number, alone: boolean): void {
    const place = this.depth;
    if (this.fresh) {
      const followed = this.#follow.length > 0 && this.#follow[0].lane === lane.id;
      this.#trees[place] = followed ? this.#follow.slice(1) : [];
      this.#follow = followed ? this.#follow[0].branches : [];
    }
    if (this.fresh) this.#meet(lane, event);
    super.performed(lane, event, wrote, before, alone);
  }

  #meet({ actor }: Lane, { kind, address, width }: Event): void {
    if (actor || kind === Mark.Pause || kind === Mark.Wake || width > NARROW) this.#unsure = true;
    if (this.#unsure || kind >= Mark.Begin) return;
    const shape = (address % 4096) * 1024 + width;
    for (let word = address >>> 2; word <= (address + width - 1) >>> 2; word++) {
      if ((this.#shapes.get(word) ?? shape) !== shape) this.#unsure = true;
      this.#shapes.set(word, shape);
    }
  }

  override ended(): void {
    super.ended();
    for (const { e, newest } of this.#races) this.#reverse(e, newest);
  }

  override more(): boolean {
    for (let n = Math.min(this.#trees.length, this.happens.length + 1) - 1; n >= 0; n--) {
      const left = this.#noted(n);
      if (left >= 0) {
        this.#follow = [];
        this.#trees.length = n + 1;
        this.goBack(n, left);
        return true;
      }
      const branch = this.#trees[n].shift();
      if (!branch) continue;
      this.#follow = branch.branches;
      this.#trees.length = n + 1;
      this.goBack(n, branch.lane);
      return true;
    }
    return false;
  }

  protected override goBack(n: number, lane: number): void {
    while (this.#races.length > 0 && this.#races[this.#races.length - 1].at >= n) this.#races.pop();
    super.goBack(n, lane);
  }

  /** A lane that goes on only because nobody else can: its siblings are noted as in the simple search. */
  #noted(n: number): number {
    const left = this.backtrack[n] & ~this.done[n] & ~this.asleep[n];
    return left === 0 ? -1 : 31 - Math.clz32(left & -left);
  }

  protected override tryBefore(e: number, newest: Lane): void {
    const clock = this.happens.clockWithout(e);
    if (!clock) return;
    const { kind, address, width } = newest.event;
    // Whether it would write there is not known: it may.
    const step = { kind, address, width, wrote: true, local: false };
    this.#races.push({ e, at: this.happens.length, newest: { lane: newest.id, step, clock: clock.slice() } });
  }

  /** Notes at place e the sequence that shows the race the other way round. */
  #reverse(e: number, newest: Ordered): void {
    const v = this.#without(e);
    v.push(newest);
    const counts = new Uint32Array(LANES);
    for (let q = 0; q < LANES; q++) counts[q] = this.happens.countOf(e, q);
    for (const { id, event } of this.lanes) {
      const bit = 1 << id;
      if (((this.asleep[e] | this.done[e]) & bit) === 0 || id === this.happens.laneOf[e]) continue;
      const wrote = ((this.asleepWrote[e] | this.doneWrote[e]) & bit) !== 0;
      if (this.#begins(v, counts, id, this.#pendingAt(e, id, event, wrote))) return;
    }
    this.#insert(this.#trees[e], v, counts);
  }

  /** What lane `id` would do at the place before e. */
  #pendingAt(e: number, id: number, event: Event, wrote: boolean): StoredStep {
    const place = this.happens.placeOf(id, this.happens.countOf(e, id) + 1);
    if (place >= 0) return { ...this.#stepAt(place), wrote };
    const { kind, address, width } = event;
    return { kind, address, width, wrote, local: this.#isLocal(id, kind) };
  }

  #stepAt(i: number): StoredStep {
    const { laneOf, kind, address, width, wrote } = this.happens;
    const local = this.#isLocal(laneOf[i], kind[i]);
    return { kind: kind[i], address: address[i], width: width[i], wrote: wrote[i] === 1, local };
  }

  #isLocal(lane: number, kind: number): boolean {
    return kind === Mark.Begin && this.lanes[lane].actor === undefined;
  }

  /** The events after e that do not depend on it. */
  #without(e: number): Ordered[] {
    const { happens } = this;
    const lane = happens.laneOf[e];
    const own = happens.ownIndex(e);
    const v: Ordered[] = [];
    for (let i = e + 1; i < happens.length; i++) {
      const clock = happens.clock.subarray(i * LANES, i * LANES + LANES);
      if (clock[lane] >= own) continue;
      v.push({ lane: happens.laneOf[i], step: this.#stepAt(i), clock: clock.slice() });
    }
    return v;
  }

  #insert(branches: Branch[], v: Ordered[], counts: Uint32Array): void {
    let at = branches;
    while (v.length > 0) {
      const next = at.find(({ lane, step }) => this.#begins(v, counts, lane, step));
      if (!next) {
        let tip = at;
        for (const { lane, step } of v) {
          const branch: Branch = { lane, step, branches: [] };
          tip.push(branch);
          tip = branch.branches;
        }
        return;
      }
      const i = v.findIndex(({ lane }) => lane === next.lane);
      if (i >= 0) {
        v.splice(i, 1);
        counts[next.lane]++;
      }
      if (next.branches.length === 0) return;
      at = next.branches;
    }
  }

  /** Whether v can begin with the next event of a lane, or that event can come before all of v and change nothing. */
  #begins(v: readonly Ordered[], counts: Uint32Array, lane: number, step: StoredStep): boolean {
    const first = v.find((event) => event.lane === lane);
    if (!first) return v.every((event) => independent(event.step, step));
    for (let q = 0; q < LANES; q++) if (q !== lane && first.clock[q] > counts[q]) return false;
    return true;
  }
}

/** Wrong answers may only be "no". */
function independent(a: StoredStep, b: StoredStep): boolean {
  if (a.local || b.local) return true;
  if (a.kind >= Mark.Begin || b.kind >= Mark.Begin) return false;
  if (a.kind === Step.Fence || b.kind === Step.Fence) return true;
  const lists = (kind: number) => kind === Step.Notify || kind === Step.Wait;
  if (lists(a.kind) || lists(b.kind)) return false;
  if (!a.wrote && !b.wrote) return true;
  return !overlap(a, b);
}
