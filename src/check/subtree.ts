/**
 * The exhaustive search of one task (task.ts): all executions that begin with the task's way, and no others.
 *
 *   place   0 ────────── n │ n+1 ────────▶     races that are turned round
 *           the way's      │ the task's own      below n   here, as in every search
 *                          │                     up to n   not decided: a wish, to be judged by whoever owns the place
 *
 * Promise    with the lanes that sleep at place n, it runs exactly what the search of one worker would have run there.
 * The way    its races were seen by whoever ran it first; its events are taken into happens-before without them.
 * Left       between two executions the search can be left: what it had noted goes back, and is other tasks (coordinator.ts).
 * Reused     one for all tasks of a scenario: its tables are as large as memory.
 */
import { Exhaustive } from "./exhaustive.js";
import type { Lane } from "./lane.js";
import type { Frozen, Outcome, Task, Wish } from "./task.js";

export class Subtree extends Exhaustive {
  #task!: Task;
  readonly #wishes = new Map<number, Wish>();

  /** Before the first execution of a task. */
  take(task: Task): void {
    this.#task = task;
    this.#wishes.clear();
    this.startFrom(task.way, task.asleep, task.asleepWrote);
  }

  /** After an execution: what came of the task, finished or not. The search does not go on. */
  leave(): Outcome {
    const n = this.floor - 1;
    const { done, doneWrote } = this;
    const tried = n < 0 ? { done: 0, doneWrote: 0 } : { done: done[n], doneWrote: doneWrote[n] };
    return { ...tried, wishes: [...this.#wishes.values()], frozen: this.#freeze() };
  }

  protected override tryBefore(e: number, newest: Lane): void {
    if (e >= this.floor) {
      super.tryBefore(e, newest);
      return;
    }
    const lanes = this.beginners(e, newest);
    if (lanes === 0 || (lanes & this.#task.covered[e]) !== 0) return;
    const own = 1 << newest.id;
    const key = (e * 256 + lanes) * 256 + own;
    if (!this.#wishes.has(key)) this.#wishes.set(key, { place: e, lanes, own });
  }

  #freeze(): Frozen | undefined {
    const { length, laneOf } = this.happens;
    const { floor: first } = this;
    let left = 0;
    for (let n = first; n <= length; n++) left |= this.backtrack[n] & ~this.done[n] & ~this.asleep[n];
    if (left === 0) return undefined;
    const part = (masks: Uint8Array) => masks.slice(first, length + 1);
    return {
      way: laneOf.slice(0, length),
      first,
      backtrack: part(this.backtrack),
      done: part(this.done),
      asleep: part(this.asleep),
      doneWrote: part(this.doneWrote),
      asleepWrote: part(this.asleepWrote),
    };
  }
}
