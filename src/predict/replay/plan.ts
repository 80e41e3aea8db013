/**
 * A recording as what one group of simulated CPUs is to do: plain data, for it goes to worker threads.
 *
 *   recording ─▶ streams, one a CPU ─▶ in the order of effects: who waits for whom, what was mapped before ─▶ addresses compacted
 *
 * Order   of effects: a fault or a call has its effect by its end; a clone, and the thread that it starts, when it begins; none before
 *         what its CPU did earlier. So who waits for whom has no circle, whatever the times are.
 */
import type { Access } from "../../core/abi/exit.js";
import { Advice, MapFlag, MlockFlag, Prot } from "../../core/abi/mman.js";
import { PAGE } from "../workload.js";
import { Compact } from "./compact.js";
import { Order } from "./order.js";
import { Ranges } from "./ranges.js";
import type { CallEvent, FaultEvent, Recording } from "./recording.js";
import { Resident } from "./resident.js";
import { Start } from "./start.js";
import { type Item, streamsOf } from "./streams.js";

export type Op =
  | { readonly do: "touch"; address: number; access: Access; fresh: boolean; done: boolean }
  | { readonly do: "map"; address: number; bytes: number; prot: number; flags: number; object: number; offset: number }
  | { readonly do: "unmap"; address: number; bytes: number; pages: number }
  | { readonly do: "protect"; address: number; bytes: number; prot: number }
  | { readonly do: "advise"; address: number; bytes: number; advice: number; pages: number }
  | { readonly do: "move"; address: number; bytes: number; to: number; newBytes: number; flags: number }
  | { readonly do: "lock"; address: number; bytes: number; flags: number }
  | { readonly do: "unlock"; address: number; bytes: number }
  | { readonly do: "brk" }
  | { readonly do: "clone" }
  | { readonly do: "begin" };

export interface Step {
  readonly gapNs: number;
  /** Pairs: a CPU of the group, and the number of its event that must be over. */
  readonly waits: readonly number[];
  readonly op: Op;
}

export interface Plan {
  readonly program: string;
  readonly streams: readonly (readonly Step[])[];
  /** Before they start; `object` as in `files`, 0 for none. */
  readonly before: readonly Extract<Op, { do: "map" }>[];
  /** Bytes of each file. */
  readonly files: readonly number[];
  /** Addresses are below it. */
  readonly span: number;
  /** Pages of memory that it needs at most. */
  readonly pages: number;
  readonly faults: number;
  readonly calls: number;
  readonly recordedNs: number;
  readonly programNs: number;
  readonly left: { readonly lost: number; readonly others: number; readonly failed: number; readonly idle: number };
}

/** What is not asked again: the place is known. */
const NOT_FLAGS = MapFlag.FixedNoReplace | MapFlag.Fixed;
const POPULATES = MapFlag.Populate | MapFlag.NonBlock;
const TYPES: Readonly<Record<string, number>> = {
  anonymous: MapFlag.Private | MapFlag.Anonymous,
  private: MapFlag.Private,
  shared: MapFlag.Shared,
};
const DROPS: ReadonlySet<number> = new Set([Advice.DontNeed, Advice.DontNeedLocked]);
const FILLS: ReadonlySet<number> = new Set([Advice.PopulateRead, Advice.PopulateWrite]);

const up = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE;
const down = (address: number): number => address - (address % PAGE);

export function planOf(recording: Recording): Plan {
  const { cpus, recordedNs, others, failed, idle } = streamsOf(recording);
  const planner = new Planner(cpus.length);
  const steps = cpus.map((items) => items.map(({ gapNs }): Step => ({ gapNs, waits: [], op: { do: "begin" } })));
  const effects = cpus.map(effectsOf);
  const effectOf = ({ stream, index }: Item): number => effects[stream][index];
  const items = cpus.flat().sort((a, b) => effectOf(a) - effectOf(b) || a.stream - b.stream || a.index - b.index);
  for (const item of items) {
    const { op, waits } = planner.take(item);
    steps[item.stream][item.index] = { gapNs: item.gapNs, waits, op };
  }
  const all = steps.flat();
  const { before, files, pages } = planner.settle();
  const span = planner.compact.settle();
  const moved = (op: Op): Op => movedOp(op, planner.compact);
  return {
    program: recording.program.split("/").at(-1) ?? "",
    streams: steps.map((stream) => stream.map((step) => ({ ...step, op: moved(step.op) }))),
    before: before.map((map) => moved(map) as typeof map),
    files,
    span,
    pages: pages + span / (PAGE * 512) + 64,
    faults: all.filter(({ op }) => op.do === "touch").length,
    calls: all.filter(({ op }) => op.do !== "touch" && op.do !== "begin").length,
    recordedNs,
    programNs: all.reduce((sum, { gapNs }) => sum + gapNs, 0),
    left: { lost: recording.lost, others, failed, idle },
  };
}

function effectsOf(items: readonly Item[]): number[] {
  let latest = 0;
  return items.map(({ event }) => {
    const early = event.what === "thread" || (event.what === "call" && event.name.startsWith("clone"));
    latest = Math.max(latest, early ? event.begin : event.end);
    return latest;
  });
}

function movedOp(op: Op, compact: Compact): Op {
  if (!("address" in op)) return op;
  const address = compact.at(op.address);
  if (!("bytes" in op)) return { ...op, address };
  const bytes = compact.at(op.address + op.bytes) - address;
  if (op.do !== "move") return { ...op, address, bytes };
  const to = compact.at(op.to);
  return { ...op, address, bytes, to, newBytes: compact.at(op.to + op.newBytes) - to };
}

interface Planned {
  readonly op: Op;
  readonly waits: number[];
}

class Planner {
  readonly compact = new Compact();
  readonly #order: Order;
  readonly #start = new Start();
  /** What calls mapped or unmapped. */
  readonly #known = new Ranges<true>();
  readonly #resident: Resident;
  /** The file's number in the recording, and its place in the plan; bytes, by place. */
  readonly #files = new Map<number, number>();
  readonly #sizes: number[] = [];
  #brk = 0;

  constructor(cpus: number) {
    this.#order = new Order(cpus);
    this.#resident = new Resident(cpus);
  }

  take(item: Item): Planned {
    const { event } = item;
    if (event.what === "thread") {
      return { op: { do: "begin" }, waits: this.#order.waits(item, item.parent ? [item.parent] : []) };
    }
    if (event.what === "fault") return this.#touch(item, event);
    return CALLS[event.name]?.call(this, item, event) ?? { op: { do: "clone" }, waits: [] };
  }

  /** What was mapped before; all that is wanted of addresses is known then. */
  settle(): Pick<Plan, "before" | "files" | "pages"> {
    const before = this.#start.mappings().map(({ start, end, kind, prot }) => {
      this.compact.keepRange(start, end, kind !== "anonymous");
      const object = kind === "anonymous" ? 0 : this.#sizes.push(end - start);
      return { do: "map" as const, address: start, bytes: end - start, prot, flags: TYPES[kind], object, offset: 0 };
    });
    return { before, files: this.#sizes, pages: this.#resident.most() };
  }

  #touch(item: Item, fault: FaultEvent): Planned {
    const page = down(fault.address);
    const done = fault.outcome === "done";
    this.compact.keep(page);
    if (done && this.#known.at(page) === undefined) this.#start.touched(page, fault);
    const fresh = done && this.#resident.take(item.stream, page, fault);
    const op: Op = { do: "touch", address: page, access: fault.access, fresh, done };
    return { op, waits: this.#order.fault(item, page) };
  }

  map(item: Item, { result, length, prot, flags, object, offset }: CallEvent): Planned {
    const bytes = up(length);
    const file = object === 0 ? 0 : this.#fileOf(object, offset + bytes);
    const planned = this.#mapped(item, result, bytes, prot, flags & ~NOT_FLAGS, file, offset);
    if ((flags & MapFlag.Locked) !== 0 || (flags & POPULATES) === MapFlag.Populate) {
      this.#resident.fill(item.stream, result, result + bytes);
    }
    return planned;
  }

  #mapped(
    item: Item,
    address: number,
    bytes: number,
    prot: number,
    flags: number,
    object: number,
    offset: number,
  ): Planned {
    const waits = this.#replaced(item, address, address + bytes, object !== 0);
    return { op: { do: "map", address, bytes, prot, flags, object, offset: object === 0 ? 0 : offset }, waits };
  }

  unmap(item: Item, { address, length }: { address: number; length: number }): Planned {
    const bytes = up(length);
    const pages = this.#resident.drop(address, address + bytes);
    return { op: { do: "unmap", address, bytes, pages }, waits: this.#replaced(item, address, address + bytes, false) };
  }

  /** The raw call: its answer is the end of the heap, moved or not. */
  brk(item: Item, { result }: CallEvent): Planned {
    const [old, now] = [up(this.#brk), up(result)];
    const known = this.#brk !== 0;
    this.#brk = result;
    if (!known || old === now) return { op: { do: "brk" }, waits: [] };
    if (now < old) return this.unmap(item, { address: now, length: old - now });
    return this.#mapped(item, old, now - old, Prot.Read | Prot.Write, TYPES.anonymous, 0, 0);
  }

  protect(item: Item, { address, length, prot }: CallEvent): Planned {
    const bytes = up(length);
    return { op: { do: "protect", address, bytes, prot }, waits: this.#changed(item, address, address + bytes) };
  }

  advise(item: Item, { address, length, advice }: CallEvent): Planned {
    const bytes = up(length);
    const waits = this.#changed(item, address, address + bytes);
    const pages = DROPS.has(advice) ? this.#resident.drop(address, address + bytes) : 0;
    if (FILLS.has(advice)) this.#resident.fill(item.stream, address, address + bytes);
    return { op: { do: "advise", address, bytes, advice, pages }, waits };
  }

  move(item: Item, { address, length, result: to, newLength, flags }: CallEvent): Planned {
    const [bytes, newBytes] = [up(length), up(newLength)];
    const [end, newEnd] = [address + bytes, to + newBytes];
    this.#infer(address, end);
    const waits = this.#order.call(item, [
      [address, end],
      [to, newEnd],
    ]);
    this.#resident.move(address, end, to, newEnd);
    this.#keep(address, end, true);
    this.#keep(to, newEnd, true);
    return { op: { do: "move", address, bytes, to, newBytes, flags }, waits };
  }

  lock(item: Item, { address, length, flags }: CallEvent): Planned {
    const [start, end] = [down(address), up(address + length)];
    if ((flags & MlockFlag.OnFault) === 0) this.#resident.fill(item.stream, start, end);
    return { op: { do: "lock", address: start, bytes: end - start, flags }, waits: this.#changed(item, start, end) };
  }

  unlock(item: Item, { address, length }: CallEvent): Planned {
    const [start, end] = [down(address), up(address + length)];
    return { op: { do: "unlock", address: start, bytes: end - start }, waits: this.#changed(item, start, end) };
  }

  /** A range becomes something else, or nothing. */
  #replaced(item: Item, start: number, end: number, whole: boolean): number[] {
    this.#resident.drop(start, end);
    this.#keep(start, end, whole);
    return this.#order.call(item, [[start, end]]);
  }

  /** A range that was there is changed. */
  #changed(item: Item, start: number, end: number): number[] {
    this.#infer(start, end);
    this.compact.keepRange(start, end, false);
    return this.#order.call(item, [[start, end]]);
  }

  #infer(start: number, end: number): void {
    for (const [from, upTo] of this.#known.gaps(start, end)) this.#start.changed(from, upTo);
  }

  #keep(start: number, end: number, whole: boolean): void {
    this.#known.set(start, end, true);
    this.compact.keepRange(start, end, whole);
  }

  /** Its place among the plan's files, from 1. */
  #fileOf(object: number, bytes: number): number {
    const place = this.#files.get(object) ?? this.#sizes.push(0);
    this.#files.set(object, place);
    this.#sizes[place - 1] = Math.max(this.#sizes[place - 1], bytes);
    return place;
  }
}

type Taker = (this: Planner, item: Item, call: CallEvent) => Planned;
const { map, unmap, brk, protect, advise, move, lock, unlock } = Planner.prototype;
const CALLS: Partial<Record<CallEvent["name"], Taker>> = {
  mmap: map,
  munmap: unmap,
  brk,
  mprotect: protect,
  madvise: advise,
  mremap: move,
  mlock: lock,
  mlock2: lock,
  munlock: unlock,
};
