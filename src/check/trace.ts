/**
 * The trace of one execution: every event in the order in which it took effect, and a hash of them.
 *
 * The hash covers (lane, kind, address, width, site) of every event, so two executions with one hash did the same
 * accesses in the same order. It is a pair of 32-bit multiplicative mixes: stable across engines, not cryptographic.
 */
import type { Event } from "./event.js";
import { twice } from "./twice.js";

const STRIDE = 5;

export class Trace {
  #words = new Uint32Array(STRIDE * 4096);
  length = 0;

  clear(): void {
    this.length = 0;
  }

  add(lane: number, { kind, address, width, site }: Event): void {
    const at = this.length * STRIDE;
    if (at + STRIDE > this.#words.length) this.#words = twice(this.#words);
    const words = this.#words;
    words[at] = lane;
    words[at + 1] = kind;
    words[at + 2] = address;
    words[at + 3] = width;
    words[at + 4] = site;
    this.length++;
  }

  laneAt(i: number): number {
    return this.#words[i * STRIDE];
  }

  eventAt(i: number): Event {
    const at = i * STRIDE;
    const [kind, address, width, site] = this.#words.subarray(at + 1, at + STRIDE);
    return { kind, address, width, site };
  }

  get hash(): string {
    let low = 0x811c9dc5;
    let high = 0x9e3779b9;
    const words = this.#words;
    for (let at = 0; at < this.length * STRIDE; at += STRIDE) {
      const address = words[at + 2];
      const first = (words[at] << 24) ^ (words[at + 1] << 16) ^ words[at + 4];
      low = mix(mix(low, first), address);
      high = mix(mix(high, address ^ 0x5bd1e995), Math.imul(words[at + 3], 31) ^ first);
    }
    return hex(low) + hex(high);
  }
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x01000193);
  return mixed ^ (mixed >>> 15);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
