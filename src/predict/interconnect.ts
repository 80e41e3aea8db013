/**
 * How lines travel: what an access costs, who waits for a line, and who gets it next.
 *
 *   request at t     line at rest: on its way at once, there after way(distance); it then stays for `retain`
 *                    line on its way, or just arrived: the request queues
 *   line free        the nearest request to where the line is, unless the oldest was overtaken `bypass` times
 *   a read           of a line that one CPU has for itself occupies it until it is there; of a shared line, which the nearest CPU that
 *                    has it gives, for `serve`
 *
 * Atomic operations and reads make their CPU wait; a store and a prefetch take their place in the queue and do not.
 * Hypothesis   real interconnects serve a request of the same cache before one from afar, which makes a contended line travel less
 *            the more CPUs want it. `bypass` 0 is strict order of arrival.
 */
import type { Values } from "./constants.js";
import type { Heap } from "./heap.js";
import { Lines, NOBODY } from "./lines.js";
import { type Lane, type Processor, Spent, Stop, Touch } from "./processor.js";
import { Distance, distances, type Place } from "./topology.js";

interface Request {
  readonly cpu: Processor;
  touch: Touch;
  lockWord: boolean;
  /** The CPU stands still until it is granted. */
  waits: boolean;
  overtaken: number;
}

export class Interconnect {
  readonly lines: Lines;
  transfers = 0;
  readonly #values: Values;
  readonly #distances: Uint8Array;
  readonly #ways: readonly number[];
  readonly #heap: Heap;
  readonly #cpus: readonly Processor[];
  readonly #queues = new Map<number, { requests: Request[]; agent: number }>();
  readonly #spinners = new Map<number, Processor[]>();
  /** By agent: the record it serves; those that serve none. */
  readonly #served: number[] = [];
  readonly #spare: number[] = [];
  readonly #retainNs: number;
  #now = 0;

  constructor(values: Values, at: readonly Place[], bytes: number, heap: Heap, cpus: readonly Processor[]) {
    this.#values = values;
    this.#distances = distances(at);
    this.#ways = [0, values.sibling, values.complex, values.socket, values.remote];
    this.#retainNs = values.retain * values.complex;
    this.lines = new Lines(bytes, at.length);
    this.#heap = heap;
    this.#cpus = cpus;
  }

  /** The lane's access, at its CPU's time. True: done and paid for. False: it is in the line's queue. */
  touch(cpu: Processor, lane: Lane): boolean {
    const { record, touch } = lane;
    const { lines } = this;
    this.#now = cpu.time;
    if (touch === Touch.Read) {
      if (lines.has(record, cpu.index)) return this.#hit(cpu, record, 0);
    } else if (touch === Touch.Lock) return this.#lock(cpu, lane);
    else if (lines.isOwnedBy(record, cpu.index)) {
      if (touch === Touch.Prefetch) return true;
      this.#hit(cpu, record, touch === Touch.Atomic ? this.#values.atomic : 0);
      this.wrote(record, cpu);
      return true;
    }
    const waits = touch === Touch.Read || touch === Touch.Atomic || touch === Touch.Own;
    const queue = this.#queues.get(record);
    if (queue || lines.freeAt(record) > cpu.time) {
      if (cpu.prefetching === record) return this.#join(queue!.requests, cpu, lane, waits);
      this.#enqueue(record, { cpu, touch, lockWord: lane.lockWord, waits, overtaken: 0 });
      if (touch === Touch.Prefetch) cpu.prefetching = record;
      if (waits) lane.stop = Stop.Queued;
      return !waits;
    }
    this.#grant(record, { cpu, touch, lockWord: lane.lockWord, waits, overtaken: 0 });
    return true;
  }

  /** The CPU's own prefetch is in the queue already: what comes now waits for that, and has the line for writing then. */
  #join(requests: readonly Request[], cpu: Processor, lane: Lane, waits: boolean): boolean {
    if (!waits) return true;
    const request = requests.find((each) => each.cpu === cpu && each.touch === Touch.Prefetch)!;
    cpu.prefetching = 0;
    request.touch = lane.touch === Touch.Read ? Touch.Own : Touch.Atomic;
    request.lockWord = lane.lockWord;
    request.waits = true;
    lane.stop = Stop.Queued;
    return false;
  }

  /** A store right behind an atomic operation on the line: where others wait for it, it has left by then, and must come back. */
  storeBehind(cpu: Processor, record: number): void {
    const queue = this.#queues.get(record);
    if (queue) queue.requests.push({ cpu, touch: Touch.Write, lockWord: true, waits: false, overtaken: 0 });
  }

  /** A line's agent has its turn: the line is free. */
  serve(agent: number): void {
    const record = this.#served[agent - this.#cpus.length];
    const queue = this.#queues.get(record)!;
    const { requests } = queue;
    this.#now = this.lines.freeAt(record);
    const chosen = this.#choose(record, requests);
    this.#granted(record, requests, chosen);
    if (requests.length > 0) {
      this.#heap.set(agent, this.lines.freeAt(record));
      return;
    }
    this.#queues.delete(record);
    this.#spare.push(agent);
  }

  /** The CPU wants to know of the next write to the line. */
  watch(record: number, cpu: Processor): void {
    const known = this.#spinners.get(record);
    if (known) known.push(cpu);
    else this.#spinners.set(record, [cpu]);
  }

  unwatch(record: number, cpu: Processor): void {
    const known = this.#spinners.get(record);
    if (!known) return;
    const place = known.indexOf(cpu);
    if (place >= 0) known.splice(place, 1);
    if (known.length === 0) this.#spinners.delete(record);
  }

  #granted(record: number, requests: Request[], request: Request): void {
    requests.splice(requests.indexOf(request), 1);
    const { cpu, waits } = request;
    if (waits) {
      cpu.lane.stop = Stop.Event;
      cpu.spend(this.#reason(request), Math.max(0, this.#now - cpu.time));
    } else if (cpu.prefetching === record) cpu.prefetching = 0;
    this.#grant(record, request);
    if (waits) this.#heap.set(cpu.index, cpu.time);
  }

  /** The line sets out now. */
  #grant(record: number, request: Request): void {
    const { cpu, touch, waits } = request;
    const { lines } = this;
    this.transfers++;
    const start = Math.max(this.#now, lines.freeAt(record));
    const fromMemory = lines.owner(record) === NOBODY;
    const reads = touch === Touch.Read;
    const way = fromMemory
      ? this.#fromMemory(cpu, record)
      : reads
        ? this.#nearest(record, cpu.index)
        : this.#farthest(record, cpu.index);
    const arrival = start + way;
    if (reads) {
      lines.keepUntil(record, lines.isExclusive(record) ? arrival : start + this.#values.serve);
      lines.share(record, cpu.index);
    } else {
      lines.own(record, cpu.index);
      lines.keepUntil(record, fromMemory || touch === Touch.Prefetch ? arrival : arrival + this.#retainNs);
    }
    if (waits) {
      cpu.spend(this.#reason(request), arrival - cpu.time);
      if (touch === Touch.Atomic) cpu.spend(Spent.Useful, this.#values.atomic);
    } else if (touch === Touch.Prefetch) {
      cpu.arriving = record;
      cpu.arrivesAt = arrival;
    }
    if (!reads && touch !== Touch.Prefetch) this.wrote(record, cpu, arrival);
  }

  #hit(cpu: Processor, record: number, ns: number): boolean {
    if (cpu.arriving === record) {
      cpu.arriving = 0;
      if (cpu.arrivesAt > cpu.time) cpu.spend(Spent.Miss, cpu.arrivesAt - cpu.time);
    }
    cpu.spend(Spent.Useful, ns);
    return true;
  }

  /**
   * The model's own queued lock: it goes to whoever came first, and its line stays while it is held. Where somebody waits, the line
   * goes several ways: the holder takes it back to release it, the waiter reads it, and takes it (qspinlock.c). What is
   * written under it comes from whoever held it last.
   */
  #lock(cpu: Processor, { record, holdNs, lines: inside }: Lane): boolean {
    const { lines } = this;
    const owner = lines.owner(record);
    const way = owner === NOBODY ? this.#values.memory : this.#way(owner, cpu.index);
    const free = lines.freeAt(record);
    const waits = free > cpu.time && owner !== cpu.index;
    cpu.spend(Spent.LockWait, Math.max(cpu.time, free) + (waits ? this.#values.handOff : 1) * way - cpu.time);
    cpu.spend(Spent.MissLocked, inside * way);
    cpu.spend(Spent.Useful, holdNs);
    lines.own(record, cpu.index);
    lines.keepUntil(record, cpu.time);
    return true;
  }

  #enqueue(record: number, request: Request): void {
    const queue = this.#queues.get(record);
    if (queue) {
      queue.requests.push(request);
      return;
    }
    const agent = this.#spare.pop() ?? this.#cpus.length + this.#served.push(record) - 1;
    this.#served[agent - this.#cpus.length] = record;
    this.#queues.set(record, { requests: [request], agent });
    this.#heap.set(agent, this.lines.freeAt(record));
  }

  #choose(record: number, requests: readonly Request[]): Request {
    const oldest = requests[0];
    if (oldest.overtaken >= this.#values.bypass) return oldest;
    const owner = this.lines.owner(record);
    let best = oldest;
    let least = this.#reach(owner, oldest.cpu.index);
    for (const request of requests) {
      const distance = this.#reach(owner, request.cpu.index);
      if (distance < least) {
        least = distance;
        best = request;
      }
    }
    if (best !== oldest) oldest.overtaken++;
    return best;
  }

  #reason({ cpu, lockWord }: Request): Spent {
    if (lockWord) return Spent.LockWait;
    return cpu.locksHeld > 0 ? Spent.MissLocked : Spent.Miss;
  }

  #distance(from: number, to: number): number {
    return from === NOBODY ? 0 : this.#distances[from * this.#cpus.length + to];
  }

  /** As the caches' arbiter sees it: within one last-level cache all are alike. */
  #reach(from: number, to: number): number {
    return Math.max(Distance.Complex, this.#distance(from, to));
  }

  #way(from: number, to: number): number {
    return this.#ways[this.#distance(from, to)];
  }

  #fromMemory(cpu: Processor, record: number): number {
    const next = Math.abs(record - cpu.lastMiss) === 1;
    cpu.lastMiss = record;
    return next ? this.#values.stream : this.#values.memory;
  }

  #nearest(record: number, cpu: number): number {
    if (this.lines.isExclusive(record)) return this.#way(this.lines.owner(record), cpu);
    let least = Infinity;
    this.lines.eachHolder(record, (holder) => {
      least = Math.min(least, this.#way(holder, cpu));
    });
    return least;
  }

  /** To write, every copy must go. */
  #farthest(record: number, cpu: number): number {
    if (this.lines.isExclusive(record)) return this.#way(this.lines.owner(record), cpu);
    let most = 0;
    this.lines.eachHolder(record, (holder) => {
      most = Math.max(most, this.#way(holder, cpu));
    });
    return most;
  }

  /** The line was written: whoever spins on it looks again. */
  wrote(record: number, writer: Processor, at = writer.time): void {
    const waiting = this.#spinners.get(record);
    if (!waiting) return;
    this.#spinners.delete(record);
    for (const cpu of waiting) if (cpu !== writer) this.#heap.set(cpu.index, Math.max(cpu.time, at));
    if (waiting.includes(writer)) this.watch(record, writer);
  }
}
