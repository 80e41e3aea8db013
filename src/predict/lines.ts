/**
 * The directory: who has which 64-byte line, and from when on it can be taken. Who waits for it: interconnect.ts.
 *
 *   Modified by owner      one CPU may read and write it                 bits = {owner}, exclusive
 *   Shared                 many read it; the owner is who forwards it    bits = readers
 *   in memory              nobody has it                                 owner = NOBODY
 *
 * A line gets a record when it is first touched; lines that the model itself adds (a zone's lock) have a record and no address.
 */
export const NOBODY = -1;

export class Lines {
  /** Line → record, 0 for none. */
  readonly #index: Int32Array;
  readonly #words: number;
  #count = 1;
  #owner = new Int16Array(4096).fill(NOBODY);
  #exclusive = new Uint8Array(4096);
  #free = new Float64Array(4096);
  #bits: Uint32Array;
  /** Frame → who cleared it last, plus one: the lines are in that CPU's cache. */
  readonly #filledBy: Int16Array;

  constructor(bytes: number, cpus: number) {
    this.#index = new Int32Array(bytes >>> 6);
    this.#filledBy = new Int16Array(bytes >>> 12);
    this.#words = (cpus + 31) >>> 5;
    this.#bits = new Uint32Array(4096 * this.#words);
  }

  recordOf(address: number): number {
    const line = address >>> 6;
    const known = this.#index[line];
    if (known !== 0) return known;
    const record = this.add();
    this.#index[line] = record;
    const filler = this.#filledBy[address >>> 12];
    if (filler !== 0) this.own(record, filler - 1);
    return record;
  }

  /** A record of no address. */
  add(): number {
    if (this.#count === this.#owner.length) this.#grow();
    return this.#count++;
  }

  /** Puts two lines in one: what happens to `address` happens to the line of `to`. */
  alias(address: number, to: number): void {
    this.#index[address >>> 6] = this.recordOf(to);
  }

  /** A frame was cleared by a CPU: its lines are there, and nowhere else. */
  filled(frameAddress: number, cpu: number): void {
    this.#filledBy[frameAddress >>> 12] = cpu + 1;
    const first = frameAddress >>> 6;
    for (let line = first; line < first + 64; line++) {
      const record = this.#index[line];
      if (record !== 0) this.own(record, cpu);
    }
  }

  owner(record: number): number {
    return this.#owner[record];
  }

  isOwnedBy(record: number, cpu: number): boolean {
    return this.#owner[record] === cpu && this.#exclusive[record] === 1;
  }

  isExclusive(record: number): boolean {
    return this.#exclusive[record] === 1;
  }

  has(record: number, cpu: number): boolean {
    return ((this.#bits[record * this.#words + (cpu >>> 5)] >>> (cpu & 31)) & 1) === 1;
  }

  /** When the line can be taken from where it is. */
  freeAt(record: number): number {
    return this.#free[record];
  }

  keepUntil(record: number, time: number): void {
    this.#free[record] = time;
  }

  own(record: number, cpu: number): void {
    const at = record * this.#words;
    for (let i = 0; i < this.#words; i++) this.#bits[at + i] = 0;
    this.#bits[at + (cpu >>> 5)] = 1 << (cpu & 31);
    this.#owner[record] = cpu;
    this.#exclusive[record] = 1;
  }

  share(record: number, cpu: number): void {
    this.#bits[record * this.#words + (cpu >>> 5)] |= 1 << (cpu & 31);
    this.#exclusive[record] = 0;
    if (this.#owner[record] === NOBODY) this.#owner[record] = cpu;
  }

  /** Calls for every CPU that has the line. */
  eachHolder(record: number, call: (cpu: number) => void): void {
    for (let word = 0; word < this.#words; word++) {
      let bits = this.#bits[record * this.#words + word];
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits);
        call(word * 32 + bit);
        bits &= bits - 1;
      }
    }
  }

  #grow(): void {
    const more = this.#owner.length * 2;
    const owner = new Int16Array(more).fill(NOBODY);
    owner.set(this.#owner);
    this.#owner = owner;
    this.#exclusive = enlarged(this.#exclusive, new Uint8Array(more));
    this.#free = enlarged(this.#free, new Float64Array(more));
    this.#bits = enlarged(this.#bits, new Uint32Array(more * this.#words));
  }
}

function enlarged<T extends Uint8Array | Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from as never);
  return to;
}
