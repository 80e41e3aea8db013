/**
 * Vector clocks: what each CPU's program knows of the others'. An actor and its CPU's interrupts are one program.
 *
 *   time       one step an event; `at(cpu)[other]` is the last event of `other` that is ordered before what `cpu` does next
 *   published  what a word, or the queue of sleepers at it, hands on to who reads it
 *   log        which event a time was: kind and site, for the one who has to tell
 *
 * Executions  a new one starts later than every time of the one before, and all know it: so nothing that was noted in
 *             the tables ever has to be cleared, until the numbers run out.
 */
import { twice } from "../twice.js";

const LAST = 0xf000_0000;
const IRQ = 0x8000_0000;

export class Clocks {
  readonly cpus: number;
  /** Row by row: what each CPU knows. */
  readonly known: Uint32Array;
  /** What slot i hands on, `cpus` numbers each; slot 0 is none. */
  #published: Uint32Array;
  #slots = 1;
  readonly #slotOf: Uint32Array;
  readonly #queueOf = new Map<number, number>();
  readonly #log: Uint32Array[];
  #base = 0;

  constructor(cpus: number, words: number) {
    this.cpus = cpus;
    this.known = new Uint32Array(cpus * cpus);
    this.#published = new Uint32Array(cpus * 256);
    this.#slotOf = new Uint32Array(words);
    this.#log = Array.from({ length: cpus }, () => new Uint32Array(1 << 12));
  }

  /** True when the numbers ran out: every table that keeps times must be cleared. */
  begin(): boolean {
    let last = this.#base;
    for (let cpu = 0; cpu < this.cpus; cpu++) last = Math.max(last, this.known[cpu * this.cpus + cpu]);
    const over = last > LAST;
    if (over) {
      last = 0;
      this.#published.fill(0);
    }
    this.#base = last;
    this.known.fill(last);
    return over;
  }

  /** The CPU's program makes a step; its time. */
  tick(cpu: number, kind: number, site: number, irq: boolean): number {
    const time = ++this.known[cpu * this.cpus + cpu];
    const at = time - this.#base;
    if (at >= this.#log[cpu].length) this.#grow(cpu);
    this.#log[cpu][at] = (site << 8) | kind | (irq ? IRQ : 0);
    return time;
  }

  /** No time of this execution is earlier. */
  get base(): number {
    return this.#base;
  }

  knows(cpu: number, other: number): number {
    return this.known[cpu * this.cpus + other];
  }

  publish(cpu: number, word: number): void {
    let slot = this.#slotOf[word];
    if (slot === 0) slot = this.#slotOf[word] = this.#newSlot();
    this.#give(cpu, slot);
  }

  join(cpu: number, word: number): void {
    const slot = this.#slotOf[word];
    if (slot !== 0) this.#take(cpu, slot);
  }

  /** Wait, wake and notify: each enters the queue of sleepers at the address, one after another. */
  queue(cpu: number, address: number): void {
    let slot = this.#queueOf.get(address);
    if (slot === undefined) {
      slot = this.#newSlot();
      this.#queueOf.set(address, slot);
    }
    this.#take(cpu, slot);
    this.#give(cpu, slot);
  }

  /** The event at a time of this execution: kind, site, and whether an interrupt did it. */
  event(cpu: number, time: number): { kind: number; site: number; irq: boolean } {
    const entry = this.#log[cpu][time - this.#base];
    return { kind: entry & 0xff, site: (entry & ~IRQ) >>> 8, irq: (entry & IRQ) !== 0 };
  }

  /** The sites of the CPU's last `count` events of this execution, interrupts left out. */
  lastSites(cpu: number, count: number): number[] {
    const sites: number[] = [];
    for (let time = this.knows(cpu, cpu); time > this.#base && sites.length < count; time--) {
      const { site, irq } = this.event(cpu, time);
      if (!irq) sites.push(site);
    }
    return sites.reverse();
  }

  lastSite(cpu: number): number {
    return (this.#log[cpu][this.knows(cpu, cpu) - this.#base] & ~IRQ) >>> 8;
  }

  #give(cpu: number, slot: number): void {
    const from = cpu * this.cpus;
    const to = slot * this.cpus;
    for (let i = 0; i < this.cpus; i++) this.#published[to + i] = this.known[from + i];
  }

  #take(cpu: number, slot: number): void {
    const to = cpu * this.cpus;
    const from = slot * this.cpus;
    for (let i = 0; i < this.cpus; i++) {
      if (this.#published[from + i] > this.known[to + i]) this.known[to + i] = this.#published[from + i];
    }
  }

  #newSlot(): number {
    const slot = this.#slots++;
    if ((slot + 1) * this.cpus > this.#published.length) this.#published = twice(this.#published);
    return slot;
  }

  #grow(cpu: number): void {
    this.#log[cpu] = twice(this.#log[cpu]);
  }
}
