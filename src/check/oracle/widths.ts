/**
 * One width a word: a word that is accessed atomically is accessed in that width, at that place, by everybody, as long as
 * it is the same thing. A frame or record that is taken anew is a new thing.
 *
 *   noted   number of the use the word was in, and a code: the width, and which half of a wide word it is
 */
const CODES = 16;
const HIGH_HALF = 9;
/** Uses are numbered in what CODES leaves of 32 bits; one execution takes far fewer than the rest. */
const LAST_USE = 0x0f00_0000;

export class Widths {
  readonly #noted: Uint32Array;
  /** For each frame, the number of its use; other memory keeps use 0 for ever. */
  readonly #use: Uint32Array;
  readonly #firstFrame: number;
  #uses = 1;
  #execution = 1;

  constructor(words: number, firstFrame: number) {
    this.#noted = new Uint32Array(words);
    this.#use = new Uint32Array((words >>> 10) + 1);
    this.#firstFrame = firstFrame >>> 12;
  }

  /** Frames are again what they were before the last execution. */
  begin(): void {
    if (this.#uses > LAST_USE) {
      this.#noted.fill(0);
      this.#use.fill(0);
      this.#uses = 0;
    }
    this.#execution = ++this.#uses;
  }

  pageTaken(page: number): void {
    this.#use[page] = ++this.#uses;
  }

  recordTaken(address: number, bytes: number): void {
    const first = address >>> 2;
    this.#noted.fill(0, first, first + (bytes >>> 2));
  }

  /** An atomic access; the width the word had before, if it is another one. */
  atomic(address: number, width: number): number {
    const stamp = this.#stamp(address >>> 12) * CODES;
    const word = address >>> 2;
    const was = this.#other(word, stamp, width) || (width === 8 ? this.#other(word + 1, stamp, HIGH_HALF) : 0);
    this.#noted[word] = stamp + width;
    if (width === 8) this.#noted[word + 1] = stamp + HIGH_HALF;
    return was;
  }

  /** A plain access; the width of the atomic ones, if it is another. */
  plain(address: number, width: number): number {
    const word = address >>> 2;
    if (this.#noted[word] === 0 && width <= 4) return 0;
    const stamp = this.#stamp(address >>> 12) * CODES;
    return this.#other(word, stamp, width) || (width === 8 ? this.#other(word + 1, stamp, HIGH_HALF) : 0);
  }

  #stamp(page: number): number {
    if (page < this.#firstFrame) return 0;
    const use = this.#use[page];
    return use > this.#execution ? use : this.#execution;
  }

  #other(word: number, stamp: number, code: number): number {
    const noted = this.#noted[word];
    if (noted <= stamp || noted === stamp + code) return 0;
    const was = noted - stamp;
    return was === HIGH_HALF ? 8 : was;
  }
}
