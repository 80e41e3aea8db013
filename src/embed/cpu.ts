/**
 * embed/cpu.ts: one CPU of the memory, driven by the thread that joined it and by no other.
 *
 *   online, idle ──call──► online, awake ──return──► online, idle ──leave()──► offline
 *
 * Waiting    an awake CPU owes an answer to every shootdown, an idle one owes none: so a call wakes it, and run() keeps it
 *            awake for a batch, with a poll after each call. Work between the calls of a batch must be short.
 * Copies     go through the CPU's bounce buffer, a piece at a time; each page is translated, faulted and copied as the
 *            guest's own accesses are (mm/uaccess.ts).
 * Files      a page of a mapped object is read by the embedder's readPage, idle: it may block.
 */
import { Errno } from "../core/abi/errno.js";
import { Access, Exit, SegvCode } from "../core/abi/exit.js";
import { type Advice, MapFlag, Prot } from "../core/abi/mman.js";
import { TASK_SIZE } from "../run/elf.js";
import { AccessFault, checked, MemoryError } from "./error.js";
import type { MemoryCore } from "./memoryCore.js";

export interface CpuOptions {
  /** Fills `into` (4096 zeroes) with the page of a mapped object; false when there is none. */
  readonly readPage?: (object: number, offset: bigint, into: Uint8Array) => boolean;
}

export interface MapRequest {
  readonly length: bigint;
  /** Prot bits; read and write when absent. */
  readonly prot?: number;
  /** A wish, or with MapFlag.Fixed or FixedNoReplace an order. */
  readonly address?: bigint;
  /** MapFlag bits beside Private and Anonymous, which are set here. */
  readonly flags?: number;
  /** What readPage knows the file by; never the same number for two map calls. 0 is anonymous memory. */
  readonly object?: number;
  readonly offset?: bigint;
}

const PAGE = 4096;
/** Objects of an embedder have no end, and no holes that the core could know of. */
const ENDLESS = 1n << 62n;
const HOST_KNOWS = -1n;
/** The bounce buffer: data of a copy, then the address of a frame for readPage. */
const COPY_BYTES = 15 * PAGE;
const SETTLE_ROUNDS = 16;
/** mm/uaccess.ts: results below this name an Exit to serve. */
const NEED = -4096;

export class Cpu {
  private readonly area: number;
  private readonly bounce: number;
  private readonly bytes: Uint8Array;
  private awake = false;

  constructor(
    private readonly core: MemoryCore,
    readonly memory: WebAssembly.Memory,
    readonly index: number,
    private readonly options: CpuOptions,
  ) {
    this.area = core.cpuArea(index);
    this.bounce = core.bounce(this.area);
    this.bytes = new Uint8Array(memory.buffer);
    core.cpuOnline(this.area);
    core.idleEnter(this.area);
  }

  /** mmap(2), private; the address. */
  map(request: MapRequest): bigint {
    const { length, prot = Prot.Read | Prot.Write, address = 0n, object = 0, offset = 0n } = request;
    const kind = MapFlag.Private | (object === 0 ? MapFlag.Anonymous : 0);
    const flags = (request.flags ?? 0) | kind;
    const at = this.run(() => {
      if (object !== 0 && !this.core.hostOpen(this.area, object, ENDLESS, HOST_KNOWS)) return BigInt(-Errno.ENOMEM);
      const mapped = this.core.sysMmap(this.area, address, length, prot, flags, object, offset);
      if (object !== 0) this.core.closeObject(this.area, object);
      return mapped;
    });
    return checked(at, "mmap");
  }

  /** munmap(2). */
  unmap(address: bigint, length: bigint): void {
    checked(
      this.run(() => this.core.sysMunmap(this.area, address, length)),
      "munmap",
    );
  }

  /** mprotect(2). */
  protect(address: bigint, length: bigint, prot: number): void {
    checked(
      this.run(() => this.core.sysMprotect(this.area, address, length, prot)),
      "mprotect",
    );
  }

  /** madvise(2); Advice.DontNeed drops the pages' contents. */
  advise(address: bigint, length: bigint, advice: Advice): void {
    checked(
      this.run(() => this.core.sysMadvise(this.area, address, length, advice)),
      "madvise",
    );
  }

  /** Objects whose last mapping went, each told once. */
  released(): number[] {
    const objects: number[] = [];
    this.run(() => {
      for (;;) {
        const object = this.core.takeReleasedObject(this.area);
        if (object === 0) return;
        if (this.core.forgetObject(this.area, object, 1)) objects.push(object);
      }
    });
    return objects;
  }

  read(address: bigint, length: number): Uint8Array {
    inRange(address, length, Access.Read);
    const result = new Uint8Array(length);
    this.run(() => {
      for (let done = 0; done < length; done += COPY_BYTES) {
        const n = Math.min(COPY_BYTES, length - done);
        this.copy(Access.Read, () => this.core.guestRead(this.area, this.bounce, address + BigInt(done), n));
        result.set(this.bytes.subarray(this.bounce, this.bounce + n), done);
      }
    });
    return result;
  }

  /** What was written before an AccessFault stays written. */
  write(address: bigint, data: Uint8Array): void {
    inRange(address, data.length, Access.Write);
    this.run(() => {
      for (let done = 0; done < data.length; done += COPY_BYTES) {
        const piece = data.subarray(done, done + COPY_BYTES);
        this.bytes.set(piece, this.bounce);
        this.copy(Access.Write, () =>
          this.core.guestWrite(this.area, address + BigInt(done), this.bounce, piece.length),
        );
      }
    });
  }

  /** Makes one page ready for the access: the fault alone. */
  touch(address: bigint, access: Access): void {
    this.run(() => this.fill(address, access));
  }

  /**
   * Where `address` lies in `memory`, its page made ready. Only inside run(), and only until the next call on this Cpu:
   * then another CPU may have unmapped it and given the frame away.
   */
  translate(address: bigint, access: Access): number {
    if (!this.awake) throw new Error("translate: only inside run()");
    for (;;) {
      const at = this.core.resident(this.area, address, access) >>> 0;
      if (at !== 0) return at;
      this.fill(address, access);
    }
  }

  /** Stays awake over the whole of `work`, answering the other CPUs after each call it makes. */
  run<T>(work: () => T): T {
    if (this.awake) {
      const result = work();
      this.core.kernelExit(this.area);
      return result;
    }
    this.core.idleLeave(this.area);
    this.awake = true;
    try {
      return work();
    } finally {
      this.awake = false;
      this.core.idleEnter(this.area);
    }
  }

  /** The CPU goes offline; what it had deferred is freed, or left to the others. */
  leave(): void {
    this.core.idleLeave(this.area);
    this.core.settle(this.area, SETTLE_ROUNDS);
    this.core.cpuOffline(this.area);
  }

  private fill(address: bigint, access: Access): void {
    for (;;) {
      const exit = this.core.fill(this.area, address, access);
      if (exit === Exit.None) return;
      if (exit === Exit.Oom) throw new MemoryError(Errno.ENOMEM, "fault");
      if (exit === Exit.Trap) throw this.refused(access);
      this.pageIn(access);
    }
  }

  private copy(access: Access, attempt: () => bigint): void {
    for (;;) {
      const result = Number(attempt());
      if (result === 0) return;
      if (result === -Errno.EFAULT) throw this.refused(access);
      if (NEED - result !== Exit.Io) throw new MemoryError(Errno.ENOMEM, "fault");
      this.pageIn(access);
    }
  }

  /** The page the last fault asked for. What changed meanwhile is found when the caller tries again. */
  private pageIn(access: Access): void {
    const { core, area } = this;
    const address = core.ioAddress(area);
    const list = this.bounce + COPY_BYTES;
    const count = core.pageInBegin(area, list, 1);
    if (count < 0) throw new MemoryError(Errno.ENOMEM, "fault");
    if (count === 0) return;
    const frame = new DataView(this.bytes.buffer).getUint32(list, true);
    const page = this.bytes.subarray(frame, frame + PAGE);
    page.fill(0);
    const object = core.ioObject(area);
    const offset = core.ioOffset(area);
    core.idleEnter(area);
    let found = false;
    try {
      found = this.options.readPage?.(object, offset, page) ?? false;
    } finally {
      core.idleLeave(area);
      core.pageInEnd(area, list, 1, found ? 1 : 0);
    }
    if (!found) throw new AccessFault(address, access, SegvCode.MapErr);
  }

  private refused(access: Access): AccessFault {
    const address = BigInt.asUintN(64, this.core.trapValue(this.area));
    return new AccessFault(address, access, this.core.trapCode(this.area));
  }
}

/** The core refuses an address past the user's half without a word about it. */
function inRange(address: bigint, length: number, access: Access): void {
  if (address < 0n || address + BigInt(length) > TASK_SIZE) throw new AccessFault(address, access, SegvCode.MapErr);
}
