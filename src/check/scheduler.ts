/**
 * The scheduler: one execution of a scenario, every interleaving decision made by a Strategy.
 *
 * What       before each access, marker and operation a Strategy chooses, among the lanes that can go on, who does next
 *            what it is stopped at. Only then does the event take effect, and enters the trace.
 * Waiting    a lane in pause(address) is not scheduled until the word differs, or an IPI it heeds is pending. A lane in a
 *            wait sleeps until a notify of the address. When nobody can go on, pauses end for no reason and time limits
 *            run out ("nudged"); if that leads nowhere either, it is a deadlock.
 * Interrupts are lanes of their own. One is enabled while its CPU has a flush, or a quiescent state outside readers, asked
 *            of it, is awake, and its actor has interrupts on; it may then be taken before any event of the actor, in
 *            the middle of kernel code too. It runs the core's own answerIpis or poll on a second stack.
 *            So a grace period ends as early as the marked reader sections allow.
 * Sees       sequentially consistent executions only, one event at a time.
 */
import { Pending } from "../core/abi/pending.js";
import { Step } from "../core/abi/step.js";
import { CpuWord } from "../core/abi/word.js";
import { kindName, Mark, mayWrite } from "./event.js";
import type { Listener, Machine } from "./hooked.js";
import { Lane, LaneState } from "./lane.js";
import type { Operation } from "./operations.js";
import { Trace } from "./trace.js";
import { Violation } from "./violation.js";

/** Decides every interleaving. */
export interface Strategy {
  /** Before each execution. */
  begin(lanes: readonly Lane[]): void;
  /** Asked first, when a lane could go on: true keeps it, and spares finding out who else could. */
  carriesOn?(lane: Lane): boolean;
  /** One of `enabled`, which is never empty. `last` performed the last event. Each lane's `event` is what it would do. */
  choose(enabled: readonly Lane[], last: Lane | undefined): Lane;
}

/** What is told about an execution as it goes. */
export interface Observer {
  began(lane: Lane, operation: Operation): void;
  ended(lane: Lane, operation: Operation, result: number): void;
  /** No operation and no interrupt is under way. */
  rested(): void;
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

export class Scheduler implements Listener {
  readonly lanes: readonly Lane[];
  readonly trace = new Trace();
  readonly figures: Figures = { events: 0, switches: 0, interrupts: 0, nudges: 0 };
  maxEvents = 400_000;
  /** Interrupts off count as a reader section (Linux since 4.20). If not, a CPU may be reported quiescent meanwhile. */
  irqIsReader = true;
  readonly #machine: Machine;
  readonly #actors: readonly Lane[];
  readonly #interrupts: readonly Lane[];
  readonly #enabled: Lane[] = [];
  #strategy!: Strategy;
  #observer!: Observer;
  #current!: Lane;
  #next: Lane | undefined;
  /** Actors not done and interrupts under way. */
  #unfinished = 0;
  #fruitless = 0;
  #clockNs = 0;

  constructor(machine: Machine, actors: readonly (readonly Operation[])[]) {
    this.#machine = machine;
    const area = (i: number) => machine.plain.cpuArea(i);
    this.#actors = actors.map((operations, i) => new Lane(i, `actor ${i}`, i, area(i), operations, undefined));
    this.#interrupts = this.#actors.map((actor, i) => new Lane(actors.length + i, `irq ${i}`, i, area(i), [], actor));
    this.lanes = [...this.#actors, ...this.#interrupts];
  }

  /** Runs every actor to its end. Throws the Violation that stopped it, if one did. */
  run(strategy: Strategy, observer: Observer): void {
    this.#strategy = strategy;
    this.#observer = observer;
    this.#fruitless = 0;
    this.#clockNs = 0;
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
    if (lane.actor) {
      this.figures.interrupts++;
      this.#unfinished++;
    } else this.#observer.began(lane, lane.operations[lane.at]);
    this.trace.add(lane.id, lane.event);
    lane.calls = lane.actor ? this.#handler(lane) : lane.operations[lane.at].calls(this.#machine, lane.cpu);
    const first = lane.calls.next();
    if (first.done) throw new Error("an operation without a call");
    lane.call = first.value;
    lane.state = LaneState.Stopped;
  }

  /** The interrupt: inside a reader section it may flush, not become quiescent. */
  *#handler({ cpu, actor }: Lane) {
    const { core } = this.#machine;
    if (actor!.irqDepth !== 0) yield () => core.quiesce(cpu);
    else if (actor!.readerDepth === 0) yield () => core.kernelExit(cpu);
    else yield () => core.answerIpis(cpu);
    return { result: 0 };
  }

  #end(lane: Lane, result: number): Lane | undefined {
    if (lane.readerDepth !== 0 || lane.irqDepth !== 0) {
      throw new Violation("depth", `${lane.name}: reader ${lane.readerDepth}, interrupts off ${lane.irqDepth}`);
    }
    this.#fruitless = 0;
    lane.call = undefined;
    lane.calls = undefined;
    const operation = lane.operations[lane.at++];
    lane.state = lane.actor || lane.at < lane.operations.length ? LaneState.Between : LaneState.Done;
    if (lane.actor || lane.state === LaneState.Done) this.#unfinished--;
    lane.announce(Mark.Begin, lane.at, 0, 0);
    if (operation) this.#observer.ended(lane, operation, result);
    if (this.lanes.every((l) => l.call === undefined)) this.#observer.rested();
    return this.#pick(lane);
  }

  reached(kind: number, address: number, width: number, site: number): void {
    this.#current.announce(kind, address, width, site);
    this.#decide();
  }

  paused(address: number, seen: number, round: number): void {
    this.#current.announce(Mark.Pause, address, seen, 0);
    this.#current.irqOffPause = (round & PAUSE_IRQ_OFF) !== 0;
    this.#decide();
  }

  waiting(address: number, timeoutNs: bigint): void {
    const lane = this.#current;
    lane.announce(Mark.Wake, address, 0, 0);
    lane.state = LaneState.Asleep;
    lane.timeoutNs = timeoutNs;
    lane.notified = false;
    this.#stop(this.#pick(lane)!);
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
    return this.#clockNs + this.trace.length;
  }

  #decide(): void {
    const lane = this.#current;
    if (this.#strategy.carriesOn?.(lane) && this.#canGoOn(lane)) {
      this.#perform(lane);
      return;
    }
    const next = this.#pick(lane)!;
    if (next === lane) this.#perform(lane);
    else this.#stop(next);
  }

  #stop(next: Lane): void {
    this.#next = next;
    this.#machine.stopAt(this.#current.id);
  }

  /** The lane's event takes effect: what the checker itself knows of it, then, on return, the access. */
  #perform(lane: Lane): void {
    const { event } = lane;
    const { kind, address } = event;
    this.trace.add(lane.id, event);
    lane.nudged = false;
    if (kind < Mark.Begin) {
      const machine = this.#machine;
      if (mayWrite(kind)) machine.snapshot.wrote(address, event.width);
      if (address >= machine.firstFrame && machine.plain.isFreeFrame(address)) {
        throw new Violation("freed", `${kindName(kind)} of 0x${address.toString(16)}, ${this.where(lane)}`);
      }
      if (kind === Step.Notify) this.#notify(address);
    } else if (kind === Mark.RcuEnter) lane.readerDepth++;
    else if (kind === Mark.RcuExit) lane.readerDepth--;
    else if (kind === Mark.IrqOff) lane.irqDepth++;
    else if (kind === Mark.IrqOn) lane.irqDepth--;
    if (this.trace.length > this.maxEvents) throw new Violation("livelock", `${this.maxEvents} events`);
  }

  /** Wakes every sleeper on the address, whatever the count: a wait may end early for no reason. */
  #notify(address: number): void {
    for (const lane of this.lanes) {
      if (lane.state === LaneState.Asleep && lane.event.address === address) lane.notified = true;
    }
  }

  /** The strategy's choice; undefined when every actor is done and no interrupt is under way. */
  #pick(last: Lane | undefined): Lane | undefined {
    if (this.#unfinished === 0) return undefined;
    this.#findEnabled();
    if (this.#enabled.length === 0) this.#nudge();
    return this.#strategy.choose(this.#enabled, last);
  }

  #findEnabled(): void {
    this.#enabled.length = 0;
    for (const lane of this.lanes) if (this.#canGoOn(lane)) this.#enabled.push(lane);
  }

  #canGoOn(lane: Lane): boolean {
    if (lane.actor) {
      if (!lane.call) return this.#deliverable(lane);
    } else if (lane.state === LaneState.Done || this.#interrupts[lane.cpuIndex].call) return false;
    if (lane.state === LaneState.Asleep) return lane.notified || lane.nudged;
    const { event } = lane;
    if (event.kind !== Mark.Pause || lane.nudged) return true;
    if (this.#machine.words[event.address >>> 2] !== event.width) return true;
    return !lane.irqOffPause && (this.#pendingOf(lane) & Pending.Flush) !== 0;
  }

  #deliverable({ cpuIndex, actor }: Lane): boolean {
    if (actor!.irqDepth !== 0 && (this.irqIsReader || actor!.readerDepth !== 0)) return false;
    let heeded = actor!.readerDepth === 0 ? Pending.Flush | Pending.Quiesce : Pending.Flush;
    if (actor!.irqDepth !== 0) heeded = Pending.Quiesce;
    if ((this.#pendingOf(actor!) & heeded) === 0) return false;
    return this.#machine.plain.cpuWord(cpuIndex, CpuWord.Idle) === 0;
  }

  #pendingOf(lane: Lane): number {
    return this.#machine.plain.cpuWord(lane.cpuIndex, CpuWord.Pending);
  }

  /** Nobody can go on: every pause may end for no reason, every time limit may run out. */
  #nudge(): void {
    this.figures.nudges++;
    for (const lane of this.lanes) {
      lane.nudged =
        lane.call !== undefined &&
        (lane.state === LaneState.Asleep ? lane.timeoutNs >= 0n : lane.event.kind === Mark.Pause);
    }
    this.#findEnabled();
    if (this.#enabled.length === 0 || this.#fruitless++ > FRUITLESS) throw new Violation("deadlock", this.#standing());
  }

  /** What each unfinished lane is stopped at. */
  #standing(): string {
    const busy = this.lanes.filter((lane) => lane.call || (!lane.actor && lane.state !== LaneState.Done));
    return busy.map((lane) => `${lane.name} at ${this.where(lane)}`).join("; ");
  }

  where({ event }: Lane): string {
    const what = `${kindName(event.kind)} 0x${event.address.toString(16)}`;
    const site = event.kind < Mark.Begin ? this.#machine.sites[event.site] : undefined;
    return site ? `${what} in ${site.function}` : what;
  }
}
