/** What the oracle knows of the memory's layout: asked of the core once, then arithmetic (core/abi/watch.ts). */
import { Watch } from "../../core/abi/watch.js";
import type { Machine } from "../hooked.js";

export const SLABS = [Watch.VmaSlab, Watch.NodeSlab, Watch.ObjectSlab];

/** Ids of what locks and waits are about. Locks have the numbers of Watch; a table's lock also counts its level. */
export const TABLE = Watch.TableLock;
export const LEVELS = 3;
export const IRQS_OFF = 24;
export const READER = 25;
export const CLASSES = 26;

/** What else the table of words knows: the last acknowledgement of a CPU, a frame's type, the head of a slab. */
export const FLUSH_DONE = 29;
export const FRAME_TYPE = 30;
export const SLAB_HEAD = 31;

const NAMES: Record<number, string> = {
  [Watch.MmapLock]: "mmapLock",
  [Watch.ReleasedLock]: "the released objects' lock",
  [Watch.RcuLock]: "the RCU lock",
  [Watch.OrphanLock]: "the orphans' lock",
  [Watch.FrameLock]: "the global frame lock",
  [Watch.VmaSlab]: "the VMA slab's lock",
  [Watch.NodeSlab]: "the tree nodes' slab's lock",
  [Watch.ObjectSlab]: "the objects' slab's lock",
  [Watch.BlockLock]: "the block list's lock",
  [Watch.FreeLock]: "a CPU's free-list lock",
  [Watch.FlushLock]: "a CPU's flush lock",
  [Watch.VmaLock]: "a VMA's lock",
  [IRQS_OFF]: "interrupts off",
  [READER]: "a reader section",
};

export function className(id: number): string {
  return NAMES[id] ?? `a page table's lock, level ${id - TABLE}`;
}

export class Known {
  readonly cpus: number;
  readonly words: number;
  readonly firstFrame: number;
  /** Of each word, the Watch number of the lock in it, or FLUSH_DONE …; 0: nothing. VMAs' locks come and go: not in it. */
  readonly what: Uint8Array;
  readonly gracePeriod: number;
  readonly freeType: number;
  readonly dataType: number;
  readonly zeroType: number;
  readonly vmaLockOffset: number;
  readonly linkOffset: number;
  readonly slabFree: readonly number[];
  readonly slabBytes: readonly number[];
  readonly #machine: Machine;
  readonly #flushDone: readonly number[];
  readonly #bounce: readonly number[];
  readonly #typeBase: number;
  readonly #refsBase: number;
  readonly #cachedBit: number;
  readonly #typeStride: number;
  readonly #levelBase: number;
  readonly #lockBase: number;

  constructor(machine: Machine, cpus: number, ownedBytes: number) {
    const at = (what: Watch, index = 0) => machine.core.watched(what, index) >>> 0;
    this.#machine = machine;
    this.cpus = cpus;
    this.words = ownedBytes >>> 2;
    this.firstFrame = machine.firstFrame;
    this.gracePeriod = at(Watch.GracePeriod);
    this.freeType = at(Watch.FreeType);
    this.dataType = at(Watch.DataType);
    this.zeroType = at(Watch.ZeroType);
    this.vmaLockOffset = at(Watch.VmaLock);
    this.linkOffset = at(Watch.SlabLink);
    this.slabFree = SLABS.map((slab) => at(Watch.SlabFree, slab));
    this.slabBytes = SLABS.map((slab) => machine.words[at(Watch.SlabBytes, slab) >>> 2]);
    this.#typeBase = at(Watch.FrameType);
    this.#typeStride = at(Watch.FrameType, 4096) - this.#typeBase;
    this.#refsBase = at(Watch.PageRefs);
    this.#cachedBit = at(Watch.CachedBit);
    this.#levelBase = at(Watch.TableLevel);
    this.#lockBase = at(Watch.TableLock);
    const areas = Array.from({ length: cpus }, (_, i) => i);
    this.#flushDone = areas.map((i) => at(Watch.FlushDone, i));
    this.#bounce = areas.map((i) => machine.plain.bounce(machine.plain.cpuArea(i)));
    this.what = new Uint8Array(this.words);
    for (let lock = Watch.MmapLock; lock <= Watch.BlockLock; lock++) this.what[at(lock) >>> 2] = lock;
    for (const i of areas) {
      this.what[at(Watch.FreeLock, i) >>> 2] = Watch.FreeLock;
      this.what[at(Watch.FlushLock, i) >>> 2] = Watch.FlushLock;
    }
    for (const word of this.#flushDone) this.what[word >>> 2] = FLUSH_DONE;
    for (const word of this.slabFree) this.what[word >>> 2] = SLAB_HEAD;
    for (let frame = this.firstFrame; frame < ownedBytes; frame += 4096) {
      this.what[at(Watch.FrameType, frame) >>> 2] = FRAME_TYPE;
      this.what[at(Watch.TableLock, frame) >>> 2] = TABLE;
    }
  }

  /** Address of the frame whose type is in the word at `address`. */
  frameOfType(address: number): number {
    return ((address - this.#typeBase) / this.#typeStride) * 4096;
  }

  /** The level of the table whose lock is at `address`. */
  levelOfLock(address: number): number {
    return this.#machine.words[(address - this.#lockBase + this.#levelBase) >>> 2];
  }

  /** A page of data, or the zero page. */
  isDataPage(address: number): boolean {
    const type = this.#machine.words[(this.#typeBase + (address >>> 12) * this.#typeStride) >>> 2];
    return type === this.dataType || type === this.zeroType;
  }

  /** A page of an object: a file's, or of shared anonymous memory. */
  isObjectPage(address: number): boolean {
    const refs = this.#machine.words[(this.#refsBase + (address >>> 12) * this.#typeStride) >>> 2];
    return this.isDataPage(address) && (refs & this.#cachedBit) !== 0;
  }

  isBounce(address: number): boolean {
    for (const bounce of this.#bounce) if (address >= bounce && address < bounce + 65536) return true;
    return false;
  }

  /** The CPU whose acknowledgements are counted at `address`, or -1. */
  acknowledgedBy(address: number): number {
    return this.#flushDone.indexOf(address);
  }
}
