/**
 * What an announced access is: whose word, which line, and how it is charged. By its place in the core's source (a lock's file) and by
 * its address (a CPU's area, a lock's offset); offsets come from build/layout.json, none is written here.
 *
 *   a CPU's area   first part: others post and queue flushes there; the rest is the CPU's own
 *   mmapLock       one word; what lies in its line is the machine file's business (sequenceBesideLock, ownerBesideLock)
 *   a VMA's lock   in the VMA's line in the core, apart from it in Linux (vmaLockApart)
 */
import { Policy } from "../core/abi/mman.js";
import { Step } from "../core/abi/step.js";
import { Watch } from "../core/abi/watch.js";
import type { Values } from "./constants.js";
import type { CoreBuild, HookedCore } from "./core.js";
import type { Interconnect } from "./interconnect.js";
import { type Lane, type Processor, Touch } from "./processor.js";

/** Sites by the file they are in. */
export enum At {
  Elsewhere = 0,
  SpinLock = 1,
  OtherLock = 2,
  VmaLock = 3,
}
const FILES: Readonly<Record<string, At>> = {
  "sync/spinlock.ts": At.SpinLock,
  "sync/rwlock.ts": At.OtherLock,
  "mm/vmaLock.ts": At.VmaLock,
};
const IN_LINE = 63;

export class Accesses {
  readonly #values: Values;
  readonly #net: Interconnect;
  readonly #cpus: readonly Processor[];
  readonly #sites: Uint8Array;
  readonly #areas: number;
  readonly #areaBytes: number;
  /** Where a CPU's own part of its area begins. */
  readonly #owned: number;
  readonly #gatherTables: number;
  readonly #vmaLock: number;
  readonly #vmaSequence: number;
  readonly #tableLock: number;
  readonly #mmapLock: number;
  /** Where a semaphore's owner is stored when it is taken; 0 when nobody else looks there. */
  readonly #ownerRecord: number;
  /** A VMA's lock is a semaphore whose owner is stored, too. */
  readonly #vmaOwner: boolean;
  readonly #vmaLocks = new Map<number, number>();
  /** Lines of VMAs' locks, by the VMA's number. */
  readonly #vmaLockLines = new Map<number, number>();
  readonly #vmaBytes: number;
  readonly #readsFirst: boolean;
  readonly #counters: number;
  readonly #idle: number;

  constructor(
    build: CoreBuild,
    core: HookedCore,
    net: Interconnect,
    cpus: readonly Processor[],
    values: Values,
    policy: number,
  ) {
    const { layout } = build;
    this.#values = values;
    this.#net = net;
    this.#cpus = cpus;
    this.#sites = Uint8Array.from(build.sites, ({ file }) => FILES[file ?? ""] ?? At.Elsewhere);
    this.#areas = layout["sync/layout.ts"].CPU_AREAS;
    this.#areaBytes = layout["sync/cpu.ts"].CPU_BYTES;
    this.#owned = layout["sync/cpu.ts"].C_ID;
    this.#counters = layout["sync/cpu.ts"].COUNTER_PART;
    this.#idle = layout["sync/cpu.ts"].C_IDLE;
    this.#gatherTables = layout["mm/percpu.ts"].P_GATHER_TABLES;
    this.#vmaLock = layout["mm/vma.ts"].V_LOCK;
    this.#vmaSequence = layout["mm/vma.ts"].V_LOCK_SEQ;
    this.#tableLock = layout["mm/frame.ts"].D_LOCK;
    this.#mmapLock = core.core.watched(Watch.MmapLock, 0);
    const lockLine = net.lines.recordOf(this.#mmapLock);
    this.#vmaBytes = layout["mm/vma.ts"].VMA_BYTES;
    this.#readsFirst = policy === Policy.VmaRefcount;
    const { MMAP_LOCK, S_SEQ, S_PGD } = layout["mm/space.ts"];
    if (values.pgdBesideLock !== 0) net.lines.alias(this.#mmapLock + S_PGD - MMAP_LOCK, this.#mmapLock);
    if (values.sequenceBesideLock !== 0) net.lines.alias(this.#mmapLock + S_SEQ - MMAP_LOCK, this.#mmapLock);
    if (values.flushQueueTogether !== 0) {
      for (const { area } of cpus) for (let at = 64; at < this.#owned; at += 64) net.lines.alias(area + at, area);
    }
    const behind = values.storeBehind !== 0;
    this.#vmaOwner = behind && policy === Policy.VmaLock && values.vmaOwnerBesideLock !== 0;
    this.#ownerRecord = behind && values.ownerBesideLock !== 0 ? lockLine : 0;
  }

  placeOf(site: number): At {
    return this.#sites[site];
  }

  /** In the CPU's area, where nobody else looks; with `all`, anywhere in it. */
  isOwn(cpu: Processor, address: number, all: boolean): boolean {
    const offset = address - cpu.area;
    return offset >= 0 && offset < this.#areaBytes && (all || offset >= this.#owned);
  }

  /** In the part of a CPU's area that others write. */
  isShared(address: number): boolean {
    return this.isInAreas(address) && (address - this.#areas) % this.#areaBytes < this.#owned;
  }

  isInAreas(address: number): boolean {
    return address >= this.#areas && address < this.#areas + this.#cpus.length * this.#areaBytes;
  }

  /** A VMA's sequence number, where it is not beside the lock: a word that only writers write, and everybody has. */
  isEverybodys(kind: number, address: number, at: At): boolean {
    if (at !== At.VmaLock || kind !== Step.AtomicLoad || this.#values.vmaSequenceBesideLock !== 0) return false;
    return (address & IN_LINE) === this.#vmaSequence;
  }

  /** The CPU whose pending word it is. */
  pendingOf(address: number): Processor | undefined {
    if (address < this.#areas || (address - this.#areas) % this.#areaBytes !== 0) return undefined;
    return this.#cpus[(address - this.#areas) / this.#areaBytes];
  }

  /** Addresses of a word of a CPU: a counter, by its number; how many tables its gather holds; whether it is idle. */
  counterOf({ area }: Processor, counter: number): number {
    return area + this.#counters + 8 * counter;
  }

  gatheredTablesOf({ area }: Processor): number {
    return area + this.#gatherTables;
  }

  idleOf({ area }: Processor): number {
    return area + this.#idle;
  }

  /** An attempt to take a page table's lock. */
  takesTable(kind: number, address: number, at: At): boolean {
    return at === At.SpinLock && kind === Step.AtomicCmpxchg && (address & IN_LINE) === this.#tableLock;
  }

  /** Says in the lane which line is touched, and how. */
  describe(cpu: Processor, kind: number, address: number, at: At): void {
    const { lane } = cpu;
    lane.record = this.recordOf(address, at === At.VmaLock);
    lane.touch = this.#touchOf(kind, at, address);
    lane.lockWord = at !== At.Elsewhere;
  }

  /** `create`: a VMA's lock that is seen for the first time gets its line. */
  recordOf(address: number, create = false): number {
    const known = this.#vmaLocks.get(address);
    if (known !== undefined) return known;
    if (!create || this.#values.vmaLockApart === 0 || (address & IN_LINE) !== this.#vmaLock) {
      return this.#net.lines.recordOf(address);
    }
    const line = Math.floor((Math.floor(address / this.#vmaBytes) * this.#values.vmaLockBytes) / 64);
    const record = this.#vmaLockLines.get(line) ?? this.#net.lines.add();
    this.#vmaLockLines.set(line, record);
    this.#vmaLocks.set(address, record);
    return record;
  }

  /** The lane took a semaphore: its owner is stored. True when the word was a semaphore's. */
  noteTaken(cpu: Processor, lane: Lane, changed: boolean): boolean {
    const taken = changed && lane.kind === Step.AtomicCmpxchg;
    if (lane.address === this.#mmapLock) {
      if (taken && this.#ownerRecord !== 0) this.#net.storeBehind(cpu, this.#ownerRecord);
      return true;
    }
    if (!lane.isVmaLock || !this.#vmaOwner || !taken) return false;
    this.#net.storeBehind(cpu, lane.record);
    return true;
  }

  #touchOf(kind: number, at: At, address: number): Touch {
    if (kind === Step.AtomicLoad && this.#values.lockReadOwns !== 0) {
      if (address === this.#mmapLock && at === At.OtherLock) return Touch.Own;
      if (!this.#readsFirst && at === At.VmaLock && (address & IN_LINE) === this.#vmaLock) return Touch.Own;
    }
    if (kind === Step.Load || kind === Step.AtomicLoad) return Touch.Read;
    return kind <= Step.AtomicStore ? Touch.Write : Touch.Atomic;
  }
}
