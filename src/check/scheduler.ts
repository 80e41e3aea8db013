/**
 * The scheduler: one execution of a scenario, every interleaving decision made by a Strategy.
 *
 * What       before each access, marker and operation a Strategy chooses, among the lanes that can go on, who does next
 *            what it is stopped at. Only then does the event take effect, and enters the trace; what it did to memory is
 *            known, and told, when its lane stops again, before anybody else goes on.
 * Waiting    a lane in pause(address) is not scheduled until a word has changed that it looked at since its last round: the
 *            pause's own, or one of the last few it loaded. A round that sees what the last one saw does nothing new. A lane in
 *            a wait sleeps until a notify of the address. When nobody can go on, pauses end for no reason and time limits
 *            run out ("nudged"); if that leads nowhere either, it is a deadlock.
 * Interrupts are lanes of their own. One is enabled while its CPU has a flush, or a quiescent state outside readers, asked
 *            of it, is awake, and its actor has interrupts on; it may then be taken before any event of the actor, in
 *            the middle of kernel code too. It runs the core's own takeInterrupt on a second stack.
 *            So a grace period ends as early as the marked reader sections allow.
 * The end    every actor is done and no interrupt can be taken any more.
 * Sees       sequentially consistent executions only, one event at a time.
 */
import { Pending } from "../core/abi/pending.js";
import { Step } from "../core/abi/step.js";
import { effectOf } from "./effect.js";
import { kindName, Mark, mayWrite } from "./event.js";
import type { Listener, Machine } from "./hooked.js";
import { Lane, LaneState } from "./lane.js";
import type { Operation } from "./operations.js";
import type { Strategy } from "./strategy.js";
import { Trace } from "./trace.js";
import { Violation } from "./violation.js";

/** What is told about an execution as it goes. */
export interface Observer {
  began(lane: Lane, operation: Operation): void;
  ended(lane: Lane, operation: Operation, result: number): void;
  /** No operation and no interrupt is under way. */
  rested(): void;
  /** The event of `lane` has taken effect; the word at its address was `before`. */
  performed(lane: Lane, wrote: boolean, before: number): void;
  /** An operation, or an interrupt, has returned. */
  returned(lane: Lane): void;
  /** Why nobody can go on; why there is no end. */
  stuck(): string;
  endless(): string;
}

export interface Figures {
  events: number;
  switches: number;
  interrupts: number;
  nudges: number;
}

/** pause(): the waiter takes no IPI meanwhile (core/sync/layout.ts: IRQ_OFF). */
const PAUSE_IRQ_OFF = 0x8000_0000;
const NOTIFIED = 0;
const TIMED_OUT = 2;
/** Nudges in a row with no operation ended between: more than any wait's rounds before it changes its ways. */
const FRUITLESS = 200;

/** Nothing lies below: an address there is a null pointer with an offset. Fences have none. */
const NOWHERE = 4096;

export class Scheduler implements Listener {
  readonly lanes: readonly Lane[];
  readonly trace = new Trace();
  readonly figures: Figures = { events: 0, switches: 0, interrupts: 0, nudges: 0 };
  maxEvents = 400_000;
  /** Interrupts off count as a reader section (Linux since 4.20). If not, a CPU may be reported quiescent meanwhile. */
  irqIsReader = true;
  /** The last execution was given up by the strategy, not run to its end. */
  abandoned = false;
  readonly #machine: Machine;
  readonly #actors: readonly Lane[];
  readonly #interrupts: readonly Lane[];
  readonly #enabled: Lane[] = [];
  #strategy!: Strategy;
  #observer!: Observer;
  #current!: Lane;
  #next: Lane | undefined;
  /** Actors not done. */
  #unfinished = 0;
  /** Operations and interrupts under way. */
  #underWay = 0;
  #fruitless = 0;
  #clockNs = 0;

  constructor(machine: Machine, actors: readonly (readonly Operation[])[]) {
    this.#machine = machine;
    const { plain } = machine;
    const lane = (id: number, name: string, i: number, operations: readonly Operation[], actor?: Lane) =>
      new Lane(id, name, i, plain.cpuArea(i), operations, actor, plain.pendingWord(i), plain.idleWord(i));
    this.#actors = actors.map((operations, i) => lane(i, `actor ${i}`, i, operations));
    this.#interrupts = this.#actors.map((actor, i) => lane(actors.length + i, `irq ${i}`, i, [], actor));
    this.lanes = [...this.#actors, ...this.#interrupts];
  }

  /** Runs every actor to its end. Throws the Violation that stopped it, if one did. */
  run(strategy: Strategy, observer: Observer): void {
    this.#strategy = strategy;
    this.#observer = observer;
    this.#fruitless = 0;
    this.#clockNs = 0;
    this.#underWay = 0;
    this.abandoned = false;
    this.trace.clear();
    for (const lane of this.lanes) {
      lane.reset();
      this.#machine.clearStack(lane.id);
    }
    this.#unfinished = this.#actors.filter((actor) => actor.state !== LaneState.Done).length;
    strategy.begin(this.lanes);
    this.#machine.listener = this;
    try {
      let lane = this.#pick(undefined);
      while (lane) lane = this.#drive(lane);
    } catch (thrown) {
      if (thrown instanceof WebAssembly.RuntimeError) throw new Violation("trap", thrown.message);
      throw thrown;
    } finally {
      this.#machine.listener = undefined;
      this.figures.events += this.trace.length;
      strategy.ended?.();
    }
  }

  /** Carries a lane on until it stops or its operation ends; returns who goes on. */
  #drive(lane: Lane): Lane | undefined {
    if (this.#current !== lane) this.figures.switches++;
    this.#current = lane;
    const resume = lane.call !== undefined;
    if (!resume) this.#begin(lane);
    let call = lane.call!;
    let result = this.#machine.call(lane.id, call, resume);
    while (!this.#machine.stopped()) {
      const step = lane.calls!.next(result);
      if (step.done) return this.#end(lane, step.value.result);
      call = lane.call = step.value;
      result = this.#machine.call(lane.id, call, false);
    }
    return this.#next;
  }

  #begin(lane: Lane): void {
    this.#underWay++;
    if (lane.actor) this.figures.interrupts++;
    else this.#observer.began(lane, lane.operations[lane.at]);
    this.#perform(lane);
    lane.calls = lane.actor ? this.#handler(lane) : lane.operations[lane.at].calls(this.#machine, lane.cpu);
    const first = lane.calls.next();
    if (first.done) throw new Error("an operation without a call");
    lane.call = first.value;
    lane.state = LaneState.Stopped;
  }

  /** The interrupt: inside a reader section it may flush, not become quiescent. */
  *#handler({ cpu, actor }: Lane) {
    const { core } = this.#machine;
    const quiescent = actor!.readerDepth === 0;
    if (actor!.irqDepth !== 0) yield () => core.quiesce(cpu);
    else yield () => core.takeInterrupt(cpu, quiescent);
    return { result: 0 };
  }

  #end(lane: Lane, result: number): Lane | undefined {
    this.#settle(lane);
    this.#observer.returned(lane);
    if (lane.readerDepth !== 0 || lane.irqDepth !== 0) {
      throw new Violation("depth", `${lane.name}: reader ${lane.readerDepth}, interrupts off ${lane.irqDepth}`);
    }
    this.#fruitless = 0;
    this.#underWay--;
    lane.call = undefined;
    lane.calls = undefined;
    const operation = lane.operations[lane.at++];
    lane.state = lane.actor || lane.at < lane.operations.length ? LaneState.Between : LaneState.Done;
    if (lane.state === LaneState.Done) this.#unfinished--;
    lane.announce(Mark.Begin, lane.at, 0, 0);
    if (operation) this.#observer.ended(lane, operation, result);
    if (this.#underWay === 0) this.#observer.rested();
    return this.#pick(lane);
  }

  reached(kind: number, address: number, width: number, site: number): void {
    const lane = this.#current;
    this.#settle(lane);
    lane.announce(kind, address, width, site);
    this.#decide();
  }

  paused(address: number, seen: number, round: number): void {
    const lane = this.#current;
    this.#settle(lane);
    lane.announce(Mark.Pause, address, seen, 0);
    lane.irqOffPause = (round & PAUSE_IRQ_OFF) !== 0;
    lane.watch(address, seen);
    this.#decide();
  }

  waiting(address: number, timeoutNs: bigint): void {
    const lane = this.#current;
    this.#settle(lane);
    lane.announce(Mark.Wake, address, 0, 0);
    lane.state = LaneState.Asleep;
    lane.timeoutNs = timeoutNs;
    lane.notified = false;
    this.#stop(this.#pick(lane));
  }

  resumed(): number {
    const lane = this.#current;
    let answer = NOTIFIED;
    if (lane.state === LaneState.Asleep && !lane.notified) {
      answer = TIMED_OUT;
      this.#clockNs += Number(lane.timeoutNs);
    }
    lane.state = LaneState.Stopped;
    this.#perform(lane);
    return answer;
  }

  now(): number {
    return this.#clockNs + this.#current.steps;
  }

  #decide(): void {
    const lane = this.#current;
    const strategy = this.#strategy;
    if (strategy.carriesOn?.(lane) && this.#canGoOn(lane)) {
      this.#perform(lane);
      return;
    }
    const next = this.#pick(lane);
    if (next === lane) this.#perform(lane);
    else this.#stop(next);
  }

  #stop(next: Lane | undefined): void {
    this.#next = next;
    this.#machine.stopAt(this.#current.id);
  }

  /** The lane's event takes effect: what the checker itself knows of it, then, on return, the access. */
  #perform(lane: Lane): void {
    const { event } = lane;
    const { kind, address } = event;
    this.trace.add(lane.id, event);
    lane.alone = lane.nudged;
    if (lane.nudged) for (const each of this.lanes) each.nudged = false;
    lane.unsettled = true;
    lane.steps++;
    if (kind < Mark.Begin) {
      const machine = this.#machine;
      const at = address >>> 2;
      lane.before = machine.words[at];
      if (event.width === 8) lane.beforeHigh = machine.words[at + 1];
      if (mayWrite(kind)) machine.snapshot.wrote(address, event.width);
      if (address < NOWHERE && kind !== Step.Fence)
        throw new Violation("freed", `${kindName(kind)} at 0x${address.toString(16)}, which is nothing's`);
      if (address >= machine.firstFrame && machine.plain.isFreeFrame(address)) {
        throw new Violation("freed", `${kindName(kind)} of 0x${address.toString(16)}, ${this.where(lane)}`);
      }
      if (kind === Step.Notify) this.#notify(address);
    } else this.#mark(lane, kind);
    if (this.trace.length > this.maxEvents)
      throw new Violation("livelock", `${this.maxEvents} events; ${this.#observer.endless()}`);
  }

  #mark(lane: Lane, kind: number): void {
    lane.transition = false;
    if (kind === Mark.RcuEnter) lane.transition = lane.readerDepth++ === 0;
    else if (kind === Mark.RcuExit) lane.transition = --lane.readerDepth === 0;
    else if (kind === Mark.IrqOff) lane.transition = lane.irqDepth++ === 0;
    else if (kind === Mark.IrqOn) lane.transition = --lane.irqDepth === 0;
    else if (kind === Mark.Pause) lane.endPause(this.#machine.words);
  }

  /** The event in hand has taken effect: tells what it did. */
  #settle(lane: Lane): void {
    if (!lane.unsettled) return;
    lane.unsettled = false;
    const wrote = effectOf(lane, this.#machine.words);
    this.#observer.performed(lane, wrote, lane.before);
    this.#strategy.performed?.(lane, lane.event, wrote, lane.before, lane.alone);
    // The next round of a wait looks anew.
    if (lane.event.kind === Mark.Pause) lane.watching = 0;
  }

  /** Wakes every sleeper on the address, whatever the count: a wait may end early for no reason. */
  #notify(address: number): void {
    for (const lane of this.lanes) {
      if (lane.state === LaneState.Asleep && lane.event.address === address) lane.notified = true;
    }
  }

  /** The strategy's choice; undefined when all is over, or the strategy gives the execution up. */
  #pick(last: Lane | undefined): Lane | undefined {
    this.#findEnabled();
    if (this.#enabled.length === 0) {
      if (this.#unfinished === 0 && this.#underWay === 0) return undefined;
      this.#nudge();
    }
    const chosen = this.#strategy.choose(this.#enabled, last);
    if (!chosen) this.abandoned = true;
    return chosen;
  }

  #findEnabled(): void {
    this.#enabled.length = 0;
    for (const lane of this.lanes) if (this.#canGoOn(lane)) this.#enabled.push(lane);
  }

  #canGoOn(lane: Lane): boolean {
    if (lane.actor) {
      if (lane.state === LaneState.Between) return this.#deliverable(lane);
    } else if (lane.state === LaneState.Done || this.#interrupts[lane.cpuIndex].state !== LaneState.Between)
      return false;
    if (lane.state === LaneState.Asleep) return lane.notified || lane.nudged;
    if (lane.event.kind !== Mark.Pause || lane.nudged) return true;
    return this.#sawChange(lane);
  }

  /** A word that the waiting lane looked at is no longer what it saw. */
  #sawChange(lane: Lane): boolean {
    const { words } = this.#machine;
    for (let i = 0; i < lane.watching; i++) {
      if (words[lane.watched[i] >>> 2] !== lane.watchedValue[i]) return true;
    }
    return false;
  }

  #deliverable({ actor }: Lane): boolean {
    if (actor!.irqDepth !== 0 && (this.irqIsReader || actor!.readerDepth !== 0)) return false;
    let heeded = actor!.readerDepth === 0 ? Pending.Flush | Pending.Quiesce : Pending.Flush;
    if (actor!.irqDepth !== 0) heeded = Pending.Quiesce;
    const { words } = this.#machine;
    return (words[actor!.pendingAddress >>> 2] & heeded) !== 0 && words[actor!.idleAddress >>> 2] === 0;
  }

  /** Nobody can go on: a pause ends for no reason, or a time limit runs out; whose did so least often comes first. */
  #nudge(): void {
    this.figures.nudges++;
    const waiting = this.lanes.filter(
      (lane) =>
        lane.call !== undefined &&
        (lane.state === LaneState.Asleep ? lane.timeoutNs >= 0n : lane.event.kind === Mark.Pause),
    );
    const least = Math.min(...waiting.map(({ nudges }) => nudges));
    for (const lane of waiting) {
      lane.nudged = lane.nudges === least;
      if (lane.nudged) lane.nudges++;
    }
    this.#findEnabled();
    if (this.#enabled.length === 0 || this.#fruitless++ > FRUITLESS) {
      throw new Violation("deadlock", this.#observer.stuck());
    }
  }

  where({ event }: Lane): string {
    const what = `${kindName(event.kind)} 0x${event.address.toString(16)}`;
    const site = event.kind < Mark.Begin ? this.#machine.sites[event.site] : undefined;
    return site ? `${what} in ${site.function}` : what;
  }
}
