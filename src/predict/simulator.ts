/**
 * The core on simulated CPUs: whose clock is least goes on, and pays for what it does.
 *
 * Algorithm  each CPU runs its program on the hooked core. At an access to a line that others may want it is stopped, unless no
 *            other CPU's clock is behind its own by more than a quantum; accesses to its own area never stop it.
 * Order      an access takes effect when it is granted, in the order of the clocks. A line that is on its way, or was just
 *            taken, makes others queue; who is granted next is Interconnect's choice.
 * Waiting    pause(): until the line is written by another, an interrupt comes, or PATIENCE is over. wait: until notified.
 * Interrupts a flush posted to a CPU arrives after a delay, and is taken by the core's own handler on a second stack as soon as
 *            interrupts are on; what the CPU was doing is finished afterwards. With a broadcasting machine it costs the
 *            target nothing.
 * Promise    the same inputs and seed give the same run: nothing depends on the host's clock or on the order of a hash.
 */
import { Counter } from "../core/abi/counter.js";
import { Tables } from "../core/abi/mman.js";
import { Pending } from "../core/abi/pending.js";
import { Step } from "../core/abi/step.js";
import { Accesses, At } from "./accesses.js";
import type { Values } from "./constants.js";
import { type CoreBuild, HookedCore, Mark, type Seam } from "./core.js";
import { Heap } from "./heap.js";
import { Interconnect } from "./interconnect.js";
import { Load } from "./load.js";
import type { Machine } from "./machine.js";
import { Memory } from "./memory.js";
import { type Lane, type LineStep, Processor, type Program, Spent, Stop, Touch } from "./processor.js";
import { Samples } from "./samples.js";
import { places } from "./topology.js";

/** A pause ends for no reason after so long. */
const PATIENCE_NS = 100_000;
const PAUSE_IRQ_OFF = 0x8000_0000;
const TIMED_OUT = 2;
export interface Setting {
  readonly machine: Machine;
  readonly values: Values;
  readonly cpus: number;
  readonly policy: number;
  readonly tables: number;
  readonly layout: number;
  readonly memoryBytes: number;
  readonly quantumNs: number;
  readonly pretouch: number;
}

export class Simulator implements Seam {
  readonly core: HookedCore;
  readonly cpus: readonly Processor[];
  readonly values: Values;
  readonly heap: Heap;
  readonly net: Interconnect;
  events = 0;
  switches = 0;
  /** From the post to the acknowledgement; interrupts off. */
  readonly ipis = new Samples();
  readonly irqOff = new Samples();
  /** Told of every access of the program's lane, when somebody counts lines. */
  watcher: ((cpu: Processor, address: number, writes: boolean) => void) | undefined;
  readonly #broadcasts: boolean;
  readonly #irqTables: boolean;
  readonly #accesses: Accesses;
  readonly #quantum: number;
  readonly #load: Load;
  readonly #sleepers = new Map<number, Processor[]>();
  readonly #memory: Memory;
  #cpu!: Processor;
  /** When the next invalidation that hardware broadcasts can set out. */
  #fabricFree = 0;
  #now = 0;
  #unfinished = 0;

  constructor(build: CoreBuild, setting: Setting) {
    const { machine, cpus, memoryBytes, values } = setting;
    this.values = values;
    this.#quantum = setting.quantumNs;
    this.#broadcasts = machine.flush === "broadcast" && cpus >= values.broadcastFrom;
    this.#irqTables = setting.tables === Tables.Irq;
    this.core = new HookedCore(build, memoryBytes, 2 * cpus);
    const { policy, tables, layout, pretouch } = setting;
    const frames = this.core.plain.boot(memoryBytes, cpus, policy, tables, layout, pretouch);
    if (frames < 0) throw new Error(`boot: ${frames}`);
    const at = places(machine.topology, cpus, values.localShare);
    this.cpus = at.map(({ socket }, i) => new Processor(i, this.core.plain.cpuArea(i), socket));
    this.heap = new Heap(cpus + 4096);
    this.net = new Interconnect(values, at, memoryBytes, this.heap, this.cpus);
    this.#memory = new Memory(values, this.net.lines, machine.topology.sockets);
    this.#accesses = new Accesses(build, this.core, this.net, this.cpus, values, policy);
    this.#load = new Load(values, machine.topology, at, this.cpus);
    for (const cpu of this.cpus) this.core.plain.cpuOnline(cpu.area);
  }

  /** Runs every program to its end. `start`: each CPU's first moment. */
  run(programs: readonly Program[], start: (cpu: number) => number): void {
    this.#unfinished = programs.length;
    programs.forEach((program, i) => {
      const cpu = this.cpus[i];
      cpu.program = program;
      cpu.time = start(i);
      this.heap.set(i, cpu.time);
    });
    this.core.seam = this;
    try {
      while (this.#unfinished > 0) {
        this.#now = this.heap.first;
        const who = this.heap.take();
        if (who < 0) throw new Error(`the simulation is stuck: ${this.#states()}`);
        if (who >= this.cpus.length) this.net.serve(who);
        else this.#drive(this.cpus[who]);
      }
    } finally {
      this.core.seam = undefined;
    }
  }

  #drive(cpu: Processor): void {
    this.#cpu = cpu;
    this.switches++;
    this.#endWait(cpu, cpu.lane);
    while (true) {
      if (cpu.irqAt <= cpu.time && this.#interruptible(cpu)) this.#beginInterrupt(cpu);
      const { lane } = cpu;
      if (lane.due) {
        lane.due = false;
        if (!this.net.touch(cpu, lane)) return;
      }
      if (lane.settling) lane.before = this.core.words[lane.address >>> 2];
      if (!lane.call && !this.#next(cpu)) return;
      if (!lane.call) continue;
      this.core.lane = lane.id;
      const resume = lane.begun;
      lane.begun = true;
      const result = this.core.call(lane.id, lane.call, resume);
      if (this.core.stopped()) {
        if (lane.stop === Stop.Event) this.heap.set(cpu.index, cpu.time);
        return;
      }
      this.#settle(cpu, lane);
      lane.call = undefined;
      lane.begun = false;
      if (lane === cpu.interrupt) this.#endInterrupt(cpu);
      else cpu.result = Number(result);
      if (cpu.time > this.heap.first) {
        this.heap.set(cpu.index, cpu.time);
        return;
      }
    }
  }

  /** The next step of the lane; false when somebody else is to go on first, or the program is over. */
  #next(cpu: Processor): boolean {
    const { lane } = cpu;
    if (lane === cpu.interrupt) {
      const { core } = this.core;
      lane.call = () => core.takeInterrupt(cpu.area, false);
      return true;
    }
    const step = cpu.program!.next(cpu.result);
    if (step.done) {
      cpu.done = true;
      this.#unfinished--;
      this.#load.ended(cpu);
      return false;
    }
    if (typeof step.value === "function") lane.call = step.value;
    else if (typeof step.value === "number") cpu.spend(Spent.Useful, step.value * cpu.slow);
    else if ("ns" in step.value)
      cpu.spend(step.value.what, step.value.ns * (step.value.what === Spent.Program ? cpu.slow : 1));
    else this.#line(cpu, step.value);
    if (cpu.time <= this.heap.first && cpu.irqAt > cpu.time) return true;
    this.heap.set(cpu.index, this.#interruptible(cpu) ? Math.min(cpu.time, Math.max(this.#now, cpu.irqAt)) : cpu.time);
    return false;
  }

  #line(cpu: Processor, { record, kind, holdNs, lines }: LineStep): void {
    const { lane } = cpu;
    lane.due = true;
    lane.record = record;
    lane.touch = kind;
    lane.holdNs = holdNs;
    lane.lines = lines;
    lane.lockWord = kind === Touch.Lock;
  }

  // The seam.

  reached(kind: number, address: number, width: number, site: number): boolean {
    const cpu = this.#cpu;
    this.events++;
    this.#settle(cpu, cpu.lane);
    const { values } = this;
    cpu.spend(Spent.Useful, values.instruction * cpu.slow);
    if (kind === Step.Fill) {
      // In the areas: the whole TLB, emptied.
      if (this.#accesses.isInAreas(address)) cpu.spend(Spent.Useful, values.flushPage);
      else this.#memory.clear(cpu, address, width);
      return false;
    }
    if (kind === Step.Fence) return false;
    if (kind === Step.CopyFrom || kind === Step.CopyTo) {
      this.#memory.copy(cpu, width, kind === Step.CopyTo);
      return false;
    }
    const accesses = this.#accesses;
    const at = accesses.placeOf(site);
    const writes = kind !== Step.Load && kind !== Step.AtomicLoad;
    if (accesses.isOwn(cpu, address, this.#broadcasts)) {
      if (kind >= Step.AtomicRmw) cpu.spend(Spent.Useful, values.atomic);
      this.#expect(cpu, kind, address, at);
      // Who waits for the acknowledgement of an interrupt sees it, though the line costs nothing here.
      if (writes && accesses.isShared(address)) this.net.wrote(this.net.lines.recordOf(address), cpu);
      return false;
    }
    if (this.#broadcasts && accesses.isShared(address)) {
      this.#expect(cpu, kind, address, at);
      return false;
    }
    if (accesses.isEverybodys(kind, address, at)) return false;
    if (this.watcher && cpu.lane === cpu.main) this.watcher(cpu, address, writes);
    const { lane } = cpu;
    if (cpu.insideNs > 0 && accesses.takesTable(kind, address, at)) cpu.payInside();
    accesses.describe(cpu, kind, address, at);
    if (kind === Step.Notify) this.#notify(cpu, address);
    this.#expect(cpu, kind, address, at);
    if (cpu.time > this.heap.first + this.#quantum || (cpu.irqAt <= cpu.time && this.#interruptible(cpu))) {
      lane.due = true;
      lane.stop = Stop.Event;
      return true;
    }
    return !this.net.touch(cpu, lane);
  }

  marked(mark: Mark): void {
    const cpu = this.#cpu;
    this.#settle(cpu, cpu.lane);
    cpu.spend(Spent.Useful, this.values.instruction * cpu.slow);
    if (mark === Mark.RcuEnter || mark === Mark.RcuExit) return;
    if (mark === Mark.IrqOff) {
      if (cpu.irqDepth++ === 0) cpu.irqOffSince = cpu.time;
    } else if (--cpu.irqDepth === 0) {
      this.irqOff.add(cpu.time - cpu.irqOffSince);
      if (cpu.flushOwed) this.#flushNow(cpu);
    }
  }

  paused(address: number, seen: number, round: number): boolean {
    const cpu = this.#cpu;
    this.#settle(cpu, cpu.lane);
    cpu.spend(Spent.Useful, this.values.hit);
    if (this.core.words[address >>> 2] !== seen) return false;
    const { lane } = cpu;
    lane.stop = Stop.Spinning;
    cpu.spinSince = cpu.time;
    cpu.spinFor = this.#accesses.isShared(address) ? Spent.IpiWait : Spent.LockWait;
    cpu.spinRecord = this.#accesses.recordOf(address);
    this.net.watch(cpu.spinRecord, cpu);
    const due = (round & PAUSE_IRQ_OFF) === 0 && this.#interruptible(cpu) ? cpu.irqAt : Infinity;
    this.heap.set(cpu.index, Math.min(cpu.time + PATIENCE_NS, Math.max(due, cpu.time)));
    return true;
  }

  waiting(address: number, timeoutNs: number): void {
    const cpu = this.#cpu;
    this.#settle(cpu, cpu.lane);
    cpu.spend(Spent.Asleep, this.values.sleep);
    cpu.lane.stop = Stop.Asleep;
    cpu.notified = false;
    cpu.spinSince = cpu.time;
    cpu.sleepsOn = address;
    const sleepers = this.#sleepers.get(address);
    if (sleepers) sleepers.push(cpu);
    else this.#sleepers.set(address, [cpu]);
    if (timeoutNs >= 0) this.heap.set(cpu.index, cpu.time + timeoutNs);
  }

  woken(): number {
    const cpu = this.#cpu;
    if (cpu.notified) return 0;
    const sleepers = this.#sleepers.get(cpu.sleepsOn)!;
    sleepers.splice(sleepers.indexOf(cpu), 1);
    cpu.spent[Spent.Asleep] += cpu.time - cpu.spinSince;
    return TIMED_OUT;
  }

  now(): number {
    return this.#cpu.time;
  }

  // What events do.

  /** The effect of the event is known when the CPU does something else: `#settle`. */
  #expect(cpu: Processor, kind: number, address: number, at: number): void {
    if (kind < Step.AtomicStore || kind > Step.AtomicCmpxchg) return;
    const { lane } = cpu;
    lane.settling = true;
    lane.kind = kind;
    lane.address = address;
    lane.isSpinLock = at === At.SpinLock;
    lane.isVmaLock = at === At.VmaLock;
    lane.before = this.core.words[address >>> 2];
  }

  #settle(cpu: Processor, lane: Lane): void {
    if (!lane.settling) return;
    lane.settling = false;
    const { address, kind } = lane;
    const now = this.core.words[address >>> 2];
    if (lane.isSpinLock) {
      if (kind === Step.AtomicCmpxchg && lane.before === 0 && now !== 0) cpu.locksHeld++;
      else if (kind === Step.AtomicStore) cpu.locksHeld--;
      return;
    }
    if (this.#accesses.noteTaken(cpu, lane, lane.before !== now) || kind !== Step.AtomicRmw) return;
    const target = this.#accesses.pendingOf(address);
    if (target && target !== cpu && (now & Pending.Flush) !== 0) this.#post(cpu, target);
  }

  #post(cpu: Processor, target: Processor): void {
    const { values } = this;
    const idle = this.core.words[this.#accesses.idleOf(target) >>> 2] !== 0;
    const round = this.core.words[this.#accesses.counterOf(cpu, Counter.Shootdowns) >>> 2];
    const first = round !== cpu.round;
    cpu.round = round;
    const forTables = this.#irqTables && this.core.words[this.#accesses.gatheredTablesOf(cpu) >>> 2] !== 0;
    if (this.#broadcasts && !forTables) {
      if (first) this.#broadcast(cpu);
      if (idle) return;
      if (target.irqDepth === 0) this.#flushNow(target);
      else target.flushOwed = true;
      return;
    }
    if (idle) return;
    cpu.spend(Spent.IpiWait, first ? values.ipiSend : values.ipiTarget);
    if (target.irqAt !== Infinity) return;
    target.irqSentAt = cpu.time;
    target.irqAt = cpu.time + (cpu.socket === target.socket ? values.ipiSocket : values.ipiRemote);
    this.#rouse(target);
  }

  /** Hardware tells every CPU, one invalidation after another. */
  #broadcast(cpu: Processor): void {
    const { broadcast, broadcastBusy } = this.values;
    const start = Math.max(cpu.time, this.#fabricFree);
    this.#fabricFree = start + broadcastBusy;
    cpu.spend(Spent.IpiWait, start + broadcast - cpu.time);
  }

  /** Brings the CPU's turn forward to its interrupt, if it can be interrupted where it is. */
  #rouse(cpu: Processor): void {
    if (cpu.irqAt === Infinity || !this.#interruptible(cpu)) return;
    if (cpu.irqAt < this.heap.timeOf(cpu.index) && this.heap.timeOf(cpu.index) !== Infinity) {
      this.heap.set(cpu.index, cpu.irqAt);
    }
  }

  #interruptible(cpu: Processor): boolean {
    if (cpu.lane === cpu.interrupt || cpu.irqDepth !== 0 || cpu.done) return false;
    return cpu.main.stop === Stop.Event || cpu.main.stop === Stop.Spinning;
  }

  /** What the program was doing when the interrupt came is finished after it. */
  #beginInterrupt(cpu: Processor): void {
    const at = Math.max(cpu.irqAt, this.#now);
    cpu.left = Math.max(0, cpu.time - at);
    cpu.time -= cpu.left;
    cpu.irqAt = Infinity;
    cpu.lane = cpu.interrupt;
    cpu.spend(Spent.Interrupt, this.values.interrupt / 2);
  }

  #endInterrupt(cpu: Processor): void {
    cpu.spend(Spent.Interrupt, this.values.interrupt / 2);
    this.ipis.add(cpu.time - cpu.irqSentAt);
    cpu.lane = cpu.main;
    cpu.time += cpu.left;
  }

  /** A broadcast flush: the target's TLB loses the range, at no cost to it. */
  #flushNow(target: Processor): void {
    target.flushOwed = false;
    this.core.plain.takeInterrupt(target.area, false);
    this.net.wrote(this.net.lines.recordOf(target.area), target, this.#cpu.time);
  }

  /** A spin, or a sleep, is over now. */
  #endWait(cpu: Processor, lane: Lane): void {
    if (lane.stop !== Stop.Spinning && lane.stop !== Stop.Asleep) return;
    if (lane.stop === Stop.Spinning) {
      this.net.unwatch(cpu.spinRecord, cpu);
      cpu.spent[lane === cpu.interrupt ? Spent.Interrupt : cpu.spinFor] += Math.max(0, this.#now - cpu.spinSince);
    }
    cpu.time = Math.max(cpu.time, this.#now);
    lane.stop = Stop.Event;
  }

  #notify(cpu: Processor, address: number): void {
    const sleepers = this.#sleepers.get(address);
    if (!sleepers) return;
    this.#sleepers.delete(address);
    for (const sleeper of sleepers) {
      cpu.spend(Spent.Useful, this.values.wake);
      sleeper.notified = true;
      const at = cpu.time + this.values.wakeUp;
      sleeper.spent[Spent.Asleep] += at - sleeper.spinSince;
      this.heap.set(sleeper.index, at);
    }
  }

  #states(): string {
    return this.cpus
      .filter(({ done }) => !done)
      .slice(0, 8)
      .map((cpu) => `CPU ${cpu.index} ${Stop[cpu.lane.stop]}`)
      .join(", ");
  }
}
