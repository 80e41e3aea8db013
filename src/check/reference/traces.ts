/**
 * What two executions must share to be one: the order of every two events that depend on each other (a Mazurkiewicz trace).
 *
 *   execution      A: x = 1    B: y = 1    B: read x      also    B: y = 1    A: x = 1    B: read x
 *   trace          A: x.0 w                                       the same
 *                  B: y.0 w  x.1 r
 *
 * Each event is written under its lane as the word it touched, whether it changed it, and how many changes of that word came
 * before it. Two changes of a word differ in that number, and a read lies between two changes: so the order of dependent
 * events can be read off, and nothing else can. Written without looking at the strategies, which it is to judge.
 */
import type { Lane } from "../lane.js";

const NEXT_LANE = "\uffff";
const NOTHING = "\ufffe\0\0";

export class TraceForm {
  readonly #lanes: string[];
  readonly #changes: Uint32Array;
  #length = 0;

  constructor(lanes: number, words: number) {
    this.#lanes = new Array(lanes).fill("");
    this.#changes = new Uint32Array(words);
  }

  clear(): void {
    this.#lanes.fill("");
    this.#changes.fill(0);
    this.#length = 0;
  }

  /** An event that depends on no other lane's. */
  begin(lane: Lane): void {
    this.#lanes[lane.id] += NOTHING;
    this.#length++;
  }

  /** `alone`: possible only because nobody else could go on, so it comes after everything there is. */
  add(lane: Lane, word: number, changed: boolean, alone: boolean): void {
    const place = alone ? 0x8000 | this.#length : 0;
    this.#lanes[lane.id] += String.fromCharCode((word << 1) | (changed ? 1 : 0), this.#changes[word], place);
    if (changed) this.#changes[word]++;
    this.#length++;
  }

  /** Equal for two executions, finished or not, exactly if they are one trace. */
  get key(): string {
    return this.#lanes.join(NEXT_LANE);
  }
}
