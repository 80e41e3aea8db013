/**
 * A world small enough to be counted by hand, driven as scheduler.ts drives the core.
 *
 *   every actor stands before its next action, which its lane shows as an event
 *   ┌▶ carriesOn? or choose   who goes on
 *   │  the action takes effect
 *   │  performed              the lane still shows the event
 *   └─ the actor runs to its next action
 *
 * Ends       complete    every actor came to its end
 *            blocked     an actor sleeps for ever at an assumption that failed, and nobody can go on
 *            deadlocked  all that stand wait for a change of a word that nobody will make
 *            abandoned   the strategy gave up
 * Waiting    an actor at `waitWhile` shows a Pause, with the value it saw as the width; it is enabled while the word,
 *            or another it watches, differs.
 *            A `timedWait` is also enabled when nobody else is: then it is performed alone.
 */
import { Step } from "../../core/abi/step.js";
import { Mark } from "../event.js";
import { Lane, LaneState } from "../lane.js";
import type { Strategy } from "../strategy.js";
import { Act, type Action, type Program } from "./actor.js";
import { TraceForm } from "./traces.js";

export enum End {
  Complete = "complete",
  Blocked = "blocked",
  Deadlocked = "deadlocked",
  Abandoned = "abandoned",
}

export interface WorldOptions {
  /** A store, or a successful swap, of what was there counts as no change. */
  silentStores?: boolean;
  /** Each actor shows a Begin before its first action, as the operations of the core do. */
  begins?: boolean;
}

/** What the core's scheduler notes of a wait where lanes keep it: the words looked at, and which of them ended it. */
interface Watching {
  watching: number;
  watch(address: number, seen: number): void;
  endPause(words: Uint32Array): void;
}

/** Word i is at FIRST + 4 i: address 0 is nobody's, so a lane without an interrupt can not seem to have its words there. */
const FIRST = 64;
/** More events than any of these programs has: an actor that spins without waiting. */
const TOO_MANY = 10_000;

const KINDS: Readonly<Record<Act, number>> = {
  [Act.Load]: Step.AtomicLoad,
  [Act.Store]: Step.AtomicStore,
  [Act.Rmw]: Step.AtomicRmw,
  [Act.Cas]: Step.AtomicCmpxchg,
  [Act.Wait]: Mark.Pause,
  [Act.TimedWait]: Mark.Pause,
  [Act.LoadPair]: Step.AtomicLoad,
  [Act.StorePair]: Step.AtomicStore,
  [Act.Assume]: Mark.Begin,
};

const BEGIN: Action = { act: Act.Assume, word: 0, value: 1, expected: 0 };

export class World {
  readonly lanes: readonly Lane[];
  readonly words: Uint32Array;
  /** All of memory: an address is an index times 4. */
  readonly memory: Uint32Array;
  /** Of the execution under way, or the last one. */
  readonly form: TraceForm;
  events = 0;
  readonly #program: Program;
  readonly #options: WorldOptions;
  readonly #running: Generator<Action, void, number>[] = [];
  readonly #next: (Action | undefined)[] = [];
  readonly #enabled: Lane[] = [];

  constructor(program: Program, options: WorldOptions = {}) {
    this.#program = program;
    this.#options = options;
    this.memory = new Uint32Array(FIRST / 4 + program.words);
    this.words = this.memory.subarray(FIRST / 4);
    this.lanes = program.actors.map((_, i) => new Lane(i, `actor ${i}`, i, 0, [], undefined));
    this.form = new TraceForm(this.lanes.length, program.words);
  }

  /** What a strategy may ask of the world it explores. No lane has interrupts. */
  get system() {
    const { memory } = this;
    return {
      memoryBytes: memory.byteLength,
      lanes: this.lanes.length,
      word: (address: number) => memory[address >>> 2],
      touches: () => false,
    };
  }

  /** One execution. */
  run(strategy: Strategy): End {
    this.#reset();
    strategy.begin(this.lanes);
    let last: Lane | undefined;
    let end: End | undefined;
    while (end === undefined) {
      const lane = this.#mayCarryOn(strategy, last) ? last! : this.#choose(strategy, last);
      if (lane instanceof Lane) {
        this.#perform(strategy, lane);
        last = lane;
      } else end = lane;
      if (++this.events > TOO_MANY) throw new Error(`${this.#program.name}: ${TOO_MANY} events`);
    }
    strategy.ended?.();
    return end;
  }

  #reset(): void {
    this.words.fill(0);
    if (this.#program.initial) this.words.set(this.#program.initial);
    this.form.clear();
    this.events = 0;
    for (const lane of this.lanes) {
      lane.reset();
      lane.state = LaneState.Stopped;
      this.#running[lane.id] = this.#program.actors[lane.id]();
      if (this.#options.begins) this.#stopAt(lane, BEGIN);
      else this.#advance(lane);
    }
  }

  #mayCarryOn(strategy: Strategy, last: Lane | undefined): boolean {
    if (!last || last.state === LaneState.Done || !strategy.carriesOn) return false;
    return strategy.carriesOn(last) && this.#canGoOn(last);
  }

  #choose(strategy: Strategy, last: Lane | undefined): Lane | End {
    this.#findEnabled();
    if (this.#enabled.length === 0) this.#letTimeRunOut();
    if (this.#enabled.length === 0) return this.#end();
    const chosen = strategy.choose(this.#enabled, last);
    if (chosen && !this.#enabled.includes(chosen)) throw new Error(`${chosen.name} can not go on, and was chosen`);
    return chosen ?? End.Abandoned;
  }

  #end(): End {
    if (this.lanes.some((lane) => lane.state === LaneState.Asleep)) return End.Blocked;
    return this.lanes.every((lane) => lane.state === LaneState.Done) ? End.Complete : End.Deadlocked;
  }

  #findEnabled(): void {
    this.#enabled.length = 0;
    for (const lane of this.lanes) if (this.#canGoOn(lane)) this.#enabled.push(lane);
  }

  #letTimeRunOut(): void {
    for (const lane of this.lanes) {
      if (lane.state !== LaneState.Stopped || this.#next[lane.id]!.act !== Act.TimedWait) continue;
      lane.nudged = true;
      this.#enabled.push(lane);
    }
  }

  #canGoOn(lane: Lane): boolean {
    if (lane.state !== LaneState.Stopped) return false;
    if (lane.event.kind !== Mark.Pause) return true;
    const { word, expected, also } = this.#next[lane.id]!;
    if (this.words[word] !== expected) return true;
    return also?.some(([other, seen]) => this.words[other] !== seen) ?? false;
  }

  #perform(strategy: Strategy, lane: Lane): void {
    const action = this.#next[lane.id]!;
    const before = this.words[action.word];
    const next = isPair(action) ? this.words[action.word + 1] : 0;
    const wrote = this.#takeEffect(action, before, next);
    const alone = lane.nudged;
    for (const each of this.lanes) each.nudged = false;
    if (action === BEGIN) this.form.begin(lane);
    else this.form.add(lane, action.word, wrote, alone);
    if (isPair(action)) this.form.add(lane, action.word + 1, wrote, alone);
    for (const [word] of action.also ?? []) this.form.add(lane, word, false, alone);
    if (lane.event.kind === Mark.Pause) watchOf(lane).endPause?.(this.memory);
    strategy.performed?.(lane, lane.event, wrote, before, alone);
    this.#advance(lane, before + next);
  }

  /** Returns whether the word counts as changed. */
  #takeEffect({ act, word, value, expected, compute }: Action, before: number, next: number): boolean {
    if (act === Act.Store) this.words[word] = value;
    else if (act === Act.StorePair) this.words.fill(value, word, word + 2);
    else if (act === Act.Rmw) this.words[word] = compute!(before);
    else if (act === Act.Cas && before === expected >>> 0) this.words[word] = value;
    else return false;
    if (!this.#options.silentStores || this.words[word] !== before) return true;
    return act === Act.StorePair && this.words[word + 1] !== next;
  }

  /** Runs an actor to its next event. */
  #advance(lane: Lane, returned = 0): void {
    const actor = this.#running[lane.id];
    let step = actor.next(returned);
    while (!step.done && step.value.act === Act.Assume) {
      if (step.value.value === 0) {
        lane.state = LaneState.Asleep;
        return;
      }
      step = actor.next(0);
    }
    if (step.done) lane.state = LaneState.Done;
    else this.#stopAt(lane, step.value);
  }

  #stopAt(lane: Lane, action: Action): void {
    this.#next[lane.id] = action;
    const waits = action.act === Act.Wait || action.act === Act.TimedWait;
    lane.announce(KINDS[action.act], addressOf(action.word), waits ? action.expected : isPair(action) ? 8 : 4, 0);
    if (!waits) return;
    const watching = watchOf(lane);
    watching.watching = 0;
    for (const [word, seen] of [[action.word, action.expected], ...(action.also ?? [])]) {
      watching.watch?.(addressOf(word), seen);
    }
  }
}

function addressOf(word: number): number {
  return FIRST + 4 * word;
}

function isPair({ act }: Action): boolean {
  return act === Act.LoadPair || act === Act.StorePair;
}

function watchOf(lane: Lane): Partial<Watching> {
  return lane as Partial<Watching>;
}
