/**
 * Pages, cleared and copied: what it costs their CPU. Clearing is bounded by the bandwidth of the socket, which its CPUs share;
 * the lines of a page that was cleared are in the cache of who cleared it.
 */
import type { Values } from "./constants.js";
import type { Lines } from "./lines.js";
import { type Processor, Spent } from "./processor.js";
import { PAGE } from "./workload.js";

export class Memory {
  readonly #values: Values;
  readonly #lines: Lines;
  /** By socket: when its memory has written what it was given. */
  readonly #free: Float64Array;

  constructor(values: Values, lines: Lines, sockets: number) {
    this.#values = values;
    this.#lines = lines;
    this.#free = new Float64Array(sockets);
  }

  clear(cpu: Processor, address: number, bytes: number): void {
    const { zero, bandwidth } = this.#values;
    cpu.payInside();
    const began = cpu.time;
    cpu.time += zero * (bytes / PAGE) * cpu.slow;
    const free = Math.max(this.#free[cpu.socket], began) + bytes / bandwidth;
    this.#free[cpu.socket] = free;
    cpu.time = Math.max(cpu.time, free);
    cpu.spent[Spent.Zeroing] += cpu.time - began;
    this.#lines.filled(address, cpu.index);
  }

  /** Half a copy: a whole one reads here and writes there, and is paid for where it writes. */
  copy(cpu: Processor, bytes: number, writes: boolean): void {
    if (bytes === PAGE) cpu.payInside();
    if (writes) cpu.spend(Spent.Useful, (this.#values.copy * bytes * cpu.slow) / PAGE);
  }
}
