/**
 * One exhaustive search as tasks for any number of workers: who explores what, and when nothing is left.
 *
 *   path      what a worker left unfinished (task.ts: Frozen): a way down, and the masks of the places it owns
 *             paths hang in a tree: the places above a path's first belong to the path that its task came from
 *   claim     a place with lanes to try is one claim. Its lanes are tried one after another, each a task, for the
 *             next must know of those before it whether their event changed something: then they sleep in it.
 *   wish      a race seen in a task is to be turned round at a place above it: the owner notes a lane there, unless
 *             one that would do is noted, done or asleep
 *
 * Why the same   a place is tried by the same rules as in the search of one worker, only its subtrees are not finished in
 *             the same order. Whoever is tried later sleeps on those before, finished or not; nobody sleeps on one after.
 * Over        no place is claimed: then no task runs that could wish for anything.
 */
import type { Frozen, Outcome, Task } from "./task.js";

interface Path extends Frozen {
  /** Owns the places before `first`. */
  readonly parent: Path | undefined;
  /** By place, from `first`: it waits for a worker, or a task runs from there. */
  readonly claimed: Uint8Array;
}

interface Claim {
  readonly path: Path;
  readonly place: number;
}

/** Which of the places that wait goes first. */
export type Choice = (waiting: readonly { readonly place: number }[]) => number;

export class Coordinator {
  readonly #choice: Choice;
  readonly #waiting: Claim[] = [];
  /** By the task's number; the first task comes from no place. */
  readonly #running = new Map<number, Claim | undefined>();
  #tasks = 0;

  constructor(choice: Choice = shallowest) {
    this.#choice = choice;
  }

  /** The first task: every execution. */
  start(): Task {
    const task = { id: this.#tasks++, way: new Uint8Array(0), asleep: 0, asleepWrote: 0, covered: new Uint8Array(0) };
    this.#running.set(task.id, undefined);
    return task;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Nothing is left to explore. */
  get over(): boolean {
    return this.#waiting.length === 0 && this.#running.size === 0;
  }

  /** A task for a worker that is free; undefined while there is none. */
  next(): Task | undefined {
    if (this.#waiting.length === 0) return undefined;
    const [claim] = this.#waiting.splice(this.#choice(this.#waiting), 1);
    const { path, place } = claim;
    const left = leftAt(claim);
    const way = new Uint8Array(place + 1);
    way.set(path.way.subarray(0, place));
    way[place] = 31 - Math.clz32(left & -left);
    const at = place - path.first;
    const id = this.#tasks++;
    this.#running.set(id, claim);
    const asleep = path.asleep[at] | path.done[at];
    const asleepWrote = path.asleepWrote[at] | path.doneWrote[at];
    return { id, way, asleep, asleepWrote, covered: coveredOn(claim) };
  }

  answered({ id }: Task, { done, doneWrote, wishes, frozen }: Outcome): void {
    const claim = this.#running.get(id);
    this.#running.delete(id);
    if (claim) {
      const { path, place } = claim;
      const at = place - path.first;
      path.done[at] |= done;
      path.doneWrote[at] |= doneWrote;
      for (const { place: e, lanes, own } of wishes) this.#wish(ownerOf(path, e), e, lanes, own);
      path.claimed[at] = 0;
      this.#claim(path, place);
    }
    if (!frozen) return;
    const path: Path = { ...frozen, parent: claim?.path, claimed: new Uint8Array(frozen.done.length) };
    for (let place = path.first; place <= path.way.length; place++) this.#claim(path, place);
  }

  #wish(path: Path, place: number, lanes: number, own: number): void {
    const at = place - path.first;
    if ((lanes & (path.backtrack[at] | path.done[at] | path.asleep[at])) !== 0) return;
    path.backtrack[at] |= (lanes & own) !== 0 ? own : lanes & -lanes;
    this.#claim(path, place);
  }

  /** If there is a lane to try, and nobody is at it. */
  #claim(path: Path, place: number): void {
    const claim = { path, place };
    if (path.claimed[place - path.first] === 1 || leftAt(claim) === 0) return;
    path.claimed[place - path.first] = 1;
    this.#waiting.push(claim);
  }
}

/** Tasks that begin high up are large: the small ones even out the end. */
function shallowest(waiting: readonly { readonly place: number }[]): number {
  let best = 0;
  for (let i = 1; i < waiting.length; i++) if (waiting[i].place < waiting[best].place) best = i;
  return best;
}

function leftAt({ path, place }: Claim): number {
  const at = place - path.first;
  return path.backtrack[at] & ~path.done[at] & ~path.asleep[at];
}

function ownerOf(path: Path, place: number): Path {
  let owner = path;
  while (place < owner.first) owner = owner.parent!;
  return owner;
}

function coveredOn({ path, place }: Claim): Uint8Array {
  const covered = new Uint8Array(place + 1);
  for (let owner: Path | undefined = path, end = place; owner; end = owner.first - 1, owner = owner.parent) {
    const { backtrack, done, asleep, first } = owner;
    for (let n = first; n <= end; n++) covered[n] = backtrack[n - first] | done[n - first] | asleep[n - first];
  }
  return covered;
}
