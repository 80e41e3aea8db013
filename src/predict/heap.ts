/**
 * A binary heap of small numbers (who) by time, each in it at most once: `set` moves whoever is in it already.
 * Equal times come in the order of who: a run is the same whatever happened to the heap before.
 */
export class Heap {
  readonly #time: Float64Array;
  readonly #place: Int32Array;
  readonly #who: Int32Array;
  #count = 0;

  constructor(capacity: number) {
    this.#time = new Float64Array(capacity);
    this.#who = new Int32Array(capacity);
    this.#place = new Int32Array(capacity).fill(-1);
  }

  /** The earliest time, or Infinity. */
  get first(): number {
    return this.#count === 0 ? Infinity : this.#time[this.#who[0]];
  }

  timeOf(who: number): number {
    return this.#place[who] < 0 ? Infinity : this.#time[who];
  }

  set(who: number, time: number): void {
    let at = this.#place[who];
    if (at < 0) {
      at = this.#count++;
      this.#put(at, who);
      this.#time[who] = time;
      this.#up(at);
      return;
    }
    this.#time[who] = time;
    this.#up(at);
    this.#down(this.#place[who]);
  }

  /** Takes whoever is first; -1 when nobody is. */
  take(): number {
    if (this.#count === 0) return -1;
    const who = this.#who[0];
    this.remove(who);
    return who;
  }

  remove(who: number): void {
    const at = this.#place[who];
    if (at < 0) return;
    this.#place[who] = -1;
    const last = this.#who[--this.#count];
    if (last === who) return;
    this.#put(at, last);
    this.#up(at);
    this.#down(this.#place[last]);
  }

  #put(at: number, who: number): void {
    this.#who[at] = who;
    this.#place[who] = at;
  }

  #before(a: number, b: number): boolean {
    const difference = this.#time[a] - this.#time[b];
    return difference < 0 || (difference === 0 && a < b);
  }

  #up(from: number): void {
    let at = from;
    const who = this.#who[at];
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(who, this.#who[parent])) break;
      this.#put(at, this.#who[parent]);
      at = parent;
    }
    this.#put(at, who);
  }

  #down(from: number): void {
    let at = from;
    const who = this.#who[at];
    while (true) {
      let child = 2 * at + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#before(this.#who[child + 1], this.#who[child])) child++;
      if (!this.#before(this.#who[child], who)) break;
      this.#put(at, this.#who[child]);
      at = child;
    }
    this.#put(at, who);
  }
}
