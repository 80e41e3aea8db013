/**
 * The oracle: looks at every event of an execution, after it took effect, and throws the Violation it amounts to.
 *
 *   race     two conflicting accesses that nothing orders, unless both are atomic, or both the guest's     races.ts, clocks.ts
 *   width    a word accessed atomically in two widths                                                     widths.ts
 *   record   an access to a VMA, tree node or object that is free                                         records.ts
 *   order    locks, interrupts and waits whose order can close a circle                                   locks.ts, order.ts
 *   lock     an operation ended and a lock is held                                                        locks.ts
 * and, when asked, why nobody can go on, or why there is no end                              deadlock.ts, livelock.ts
 *
 * Why        the first two are what makes it sound to look at sequentially consistent executions only: without data races
 *            and mixed widths a real engine has no others (the memory model's promise to race-free programs).
 * Orders     program order; an atomic store, or a read-modify-write that took place, before the atomic load that reads
 *            it; wait, wake and notify of one address, one after another. Fences order nothing here: none is relied on.
 * Classes    guest accesses are the copies between a bounce buffer and a page; all else is the memory manager's own.
 *            A whole page copied into a frame nobody touched since it was taken is the memory manager's: a file's page.
 *            To copy from a page of an object, or to clear it where it lies (a hole), is a guest's access: stores through a shared
 *            mapping are ordered with a private mapping's copy, and with a hole, by the programs or by nobody. Private
 *            pages, which fork shares, are copied after a flush: that is judged.
 */
import { Step } from "../../core/abi/step.js";
import { type Event, kindName, Mark } from "../event.js";
import type { Machine } from "../hooked.js";
import type { Lane } from "../lane.js";
import { Violation } from "../violation.js";
import { Clocks } from "./clocks.js";
import { explainDeadlock } from "./deadlock.js";
import { FRAME_TYPE, Known, SLABS } from "./known.js";
import { explainLoop } from "./livelock.js";
import { Locks } from "./locks.js";
import { LockOrder } from "./order.js";
import { PEEKS } from "./peeks.js";
import { Access, type Earlier, Page, Races } from "./races.js";
import { Records, slabName } from "./records.js";
import { Widths } from "./widths.js";

const PAGE = 4096;
/** Events in which a loop is looked for. */
const TAIL = 12_000;

export class Oracle {
  readonly known: Known;
  readonly locks: Locks;
  readonly #machine: Machine;
  readonly #lanes: readonly Lane[];
  readonly #clocks: Clocks;
  readonly #races: Races;
  readonly #widths: Widths;
  readonly #records: Records;
  readonly #isPeek: Uint8Array;
  /** Of each site: it is the host's own thread's. */
  readonly #isHost: Uint8Array;
  /** Of each lane, where its copy under way reads from. */
  readonly #copyFrom: Uint32Array;

  /** Once the memory is as every execution begins. `order` may be shared by all oracles; null: not looked at. */
  constructor(machine: Machine, lanes: readonly Lane[], order: LockOrder | null = new LockOrder()) {
    const cpus = lanes.reduce((most, lane) => Math.max(most, lane.cpuIndex + 1), 0);
    const functions = machine.sites.map((site) => site.function);
    this.#machine = machine;
    this.#lanes = lanes;
    this.known = new Known(machine, cpus, machine.words.length * 4);
    this.#clocks = new Clocks(cpus, this.known.words);
    this.#races = new Races(this.#clocks, this.known.words);
    this.#widths = new Widths(this.known.words, this.known.firstFrame);
    this.#records = new Records(machine, this.known);
    const where = (site: number) => this.#where(site);
    this.locks = new Locks(this.known, this.#records, order ?? undefined, lanes.length, functions, where);
    this.#isPeek = Uint8Array.from(functions, (name) => (PEEKS.some((peek) => name.endsWith(peek.function)) ? 1 : 0));
    this.#isHost = Uint8Array.from(functions, (name) => (name.includes("mm/hostCache/") ? 1 : 0));
    this.#copyFrom = new Uint32Array(lanes.length);
  }

  /** An execution begins: the memory is as it was when the oracle was made. */
  begin(): void {
    if (this.#clocks.begin()) this.#races.clear();
    this.#widths.begin();
    this.#records.begin();
    this.locks.begin();
  }

  /** The event took effect just now. `wrote`: memory changed; `before`: the u32 that was at its address. */
  performed(lane: Lane, event: Event, wrote: boolean, before: number): void {
    const { kind, address, width, site } = event;
    if (kind >= Mark.Begin) {
      this.#marked(lane, kind, address);
      return;
    }
    const cpu = lane.cpuIndex;
    const time = this.#clocks.tick(cpu, kind, site, lane.actor !== undefined);
    if (kind === Step.Load) {
      if (this.#isPeek[site] === 0) this.#plain(lane, event, time, Access.PlainRead);
    } else if (kind === Step.Store) {
      this.#plain(lane, event, time, Access.PlainWrite);
      if (wrote) this.#stored(lane, event, time, before);
    } else if (kind <= Step.AtomicCmpxchg) this.#atomic(lane, event, time, wrote, before);
    else if (kind === Step.Fill) this.#filled(lane, event, time);
    else if (kind === Step.CopyFrom) this.#copiedFrom(lane, event, time);
    else if (kind === Step.CopyTo) this.#copiedTo(lane, event, time);
    else if (kind === Step.Wait || kind === Step.Notify) {
      if (kind === Step.Wait) this.#clocks.join(cpu, address >>> 2);
      this.#mustBeLive(lane, event);
      this.#clocks.queue(cpu, address);
      if (kind === Step.Wait) this.#mustBeOneWidth(event, this.#widths.atomic(address, width));
    }
  }

  /** The lane's operation, or interrupt, returned; without a lane, the execution ended. */
  ended(lane?: Lane): void {
    for (const each of lane ? [lane] : this.#lanes) {
      if (this.locks.holdsAny(each))
        throw new Violation("lock", `${each.name} holds ${this.locks.held(each).join(", ")}`);
    }
  }

  /** Nobody can go on: why. To be asked before the memory is put back. */
  explainDeadlock(): string {
    return explainDeadlock(this.#lanes, this.locks, this.known);
  }

  /** There is no end: what each unfinished actor does over and over. */
  explainLivelock(): string {
    const told: string[] = [];
    for (const lane of this.#lanes) {
      if (lane.actor || lane.call === undefined) continue;
      const sites = this.#clocks.lastSites(lane.cpuIndex, TAIL);
      told.push(`${lane.name}: ${explainLoop(sites, (site) => this.#machine.sites[site].function)}`);
    }
    return told.join("; ");
  }

  #marked(lane: Lane, kind: number, address: number): void {
    if (kind === Mark.Wake) this.#clocks.queue(lane.cpuIndex, address);
    else if (kind === Mark.Pause) this.locks.paused(lane, address, this.#clocks.lastSite(lane.cpuIndex));
    else if (kind === Mark.IrqOn && lane.irqDepth === 0 && this.locks.holdsAny(lane)) this.locks.irqsOn(lane);
  }

  #plain(lane: Lane, event: Event, time: number, access: Access): void {
    const { address, width } = event;
    this.#mustBeLive(lane, event);
    this.#words(lane, event, time, access);
    this.#mustBeOneWidth(event, this.#widths.plain(address, width));
  }

  #atomic(lane: Lane, event: Event, time: number, wrote: boolean, before: number): void {
    const { kind, address, width, site } = event;
    const cpu = lane.cpuIndex;
    const word = address >>> 2;
    const writes = kind === Step.AtomicStore || kind === Step.AtomicRmw || (kind === Step.AtomicCmpxchg && wrote);
    if (kind !== Step.AtomicStore) this.#clocks.join(cpu, word);
    this.#mustBeLive(lane, event);
    this.#words(lane, event, time, writes ? Access.AtomicWrite : Access.AtomicRead);
    this.#mustBeOneWidth(event, this.#widths.atomic(address, width));
    if (writes) {
      this.#clocks.publish(cpu, word);
      if (wrote) this.locks.wrote(lane, kind, address, site, before, this.#machine.words[word]);
    } else if (kind === Step.AtomicLoad) this.locks.looked(lane, address, site);
  }

  #words(lane: Lane, event: Event, time: number, access: Access): void {
    const { address, width } = event;
    const cpu = lane.cpuIndex;
    const word = address >>> 2;
    let earlier = this.#races.word(cpu, time, word, access);
    if (width === 8) earlier ??= this.#races.word(cpu, time, word + 1, access);
    if (address >= this.known.firstFrame) {
      earlier ??= this.#races.page(cpu, time, address >>> 12, (access & 1) === 0 ? Page.Read : Page.Write);
    }
    if (earlier) this.#race(lane, event, earlier);
  }

  /** A fill, or one side of a copy, by the memory manager itself: whole frames as such, the rest word by word. */
  #range(lane: Lane, event: Event, time: number, write: boolean): void {
    const { address, width } = event;
    if (width === 0) return;
    const cpu = lane.cpuIndex;
    if (address >= this.known.firstFrame && (address | width) % PAGE === 0) {
      const access = write ? Page.WholeWrite : Page.WholeRead;
      for (let at = address; at < address + width; at += PAGE) this.#page(lane, event, time, at, access);
      return;
    }
    this.#mustBeLive(lane, event);
    const access = write ? Access.PlainWrite : Access.PlainRead;
    for (let word = address >>> 2; word <= (address + width - 1) >>> 2; word++) {
      const earlier = this.#races.word(cpu, time, word, access);
      if (earlier) this.#race(lane, event, earlier);
    }
    if (address < this.known.firstFrame) return;
    for (let page = address >>> 12; page <= (address + width - 1) >>> 12; page++) {
      this.#page(lane, event, time, page * PAGE, write ? Page.Write : Page.Read);
    }
  }

  #page(lane: Lane, event: Event, time: number, address: number, access: Page): void {
    const earlier = this.#races.page(lane.cpuIndex, time, address >>> 12, access);
    if (earlier) this.#race(lane, event, earlier);
  }

  #filled(lane: Lane, event: Event, time: number): void {
    if (this.#isHost[event.site] === 0) this.#range(lane, event, time, true);
    else this.#page(lane, event, time, event.address, Page.GuestWrite);
  }

  /** A whole frame that nobody touched since this CPU took it. */
  #isFresh(lane: Lane, address: number, width: number): boolean {
    return (address | width) % PAGE === 0 && this.#races.untouchedSince(lane.cpuIndex, address >>> 12);
  }

  /** Whose copy it is shows at its second half: until then it is a guest's, which races with less. */
  #copiedFrom(lane: Lane, event: Event, time: number): void {
    const { address } = event;
    this.#copyFrom[lane.id] = address;
    if (address >= this.known.firstFrame && this.known.isDataPage(address)) {
      this.#page(lane, event, time, address, Page.GuestRead);
    } else this.#range(lane, event, time, false);
  }

  #copiedTo(lane: Lane, event: Event, time: number): void {
    const { address, width } = event;
    const from = this.#copyFrom[lane.id];
    const { known } = this;
    const fromPage = from >= known.firstFrame && known.isDataPage(from);
    if (fromPage && !known.isBounce(address) && !known.isObjectPage(from))
      this.#range(lane, { ...event, address: from }, time, false);
    const toPage = address >= known.firstFrame && known.isDataPage(address);
    if (toPage && known.isBounce(from) && !this.#isFresh(lane, address, width))
      this.#page(lane, event, time, address, Page.GuestWrite);
    else this.#range(lane, event, time, true);
  }

  /** A plain store that changed a word: the words by which frames and records are freed and taken. */
  #stored(lane: Lane, event: Event, time: number, before: number): void {
    const { address } = event;
    const what = this.known.what[address >>> 2];
    if (what < FRAME_TYPE) return;
    const now = this.#machine.words[address >>> 2];
    if (what === FRAME_TYPE) {
      const frame = this.known.frameOfType(address);
      if (before <= this.known.freeType === now <= this.known.freeType) return;
      const earlier = this.#races.page(lane.cpuIndex, time, frame >>> 12, Page.WholeWrite);
      const done = now <= this.known.freeType ? "freeing" : "taking";
      if (earlier) this.#race(lane, event, earlier, `${done} of the frame 0x${frame.toString(16)}`);
      this.#widths.pageTaken(frame >>> 12);
      return;
    }
    const slab = this.#records.slabOfHead(address);
    const record = this.#records.headChanged(slab, before, now);
    const bytes = this.#records.bytesOf(slab);
    this.#widths.recordTaken(Math.abs(record), bytes);
    if (record < 0) return;
    for (let word = record >>> 2; word < (record + bytes) >>> 2; word++) {
      const earlier = this.#races.word(lane.cpuIndex, time, word, Access.PlainWrite);
      if (earlier) this.#race(lane, event, earlier, `freeing of the ${slabName(slab)} 0x${record.toString(16)}`);
    }
  }

  #mustBeLive(lane: Lane, event: Event): void {
    const { address } = event;
    if (!this.#records.isFree(address)) return;
    const slab = this.#records.slabAt(address);
    if (this.#records.isLink(address, slab) && this.locks.holdsClass(lane, SLABS[slab])) return;
    throw new Violation("record", `${this.#told(lane, event)}: a ${slabName(slab)} that is free`);
  }

  #mustBeOneWidth(event: Event, other: number): void {
    if (other === 0) return;
    const { kind, address, width, site } = event;
    const at = `0x${address.toString(16)}`;
    throw new Violation(
      "width",
      `${kindName(kind)} of ${width} bytes at ${at} in ${this.#where(site)}, otherwise ${other}`,
    );
  }

  #race(lane: Lane, event: Event, { cpu, time }: Earlier, done?: string): never {
    const { kind, site, irq } = this.#clocks.event(cpu, time);
    const other = `${irq ? "irq" : "actor"} ${cpu}'s ${kindName(kind)} in ${this.#where(site)}`;
    throw new Violation("race", `${this.#told(lane, event, done)} and ${other}`);
  }

  #told(lane: Lane, { kind, address, site }: Event, done = `${kindName(kind)} of 0x${address.toString(16)}`): string {
    return `${lane.name}'s ${done} in ${this.#where(site)}`;
  }

  #where(site: number): string {
    const { function: name, instruction } = this.#machine.sites[site];
    return `${name} ${instruction}`;
  }
}
