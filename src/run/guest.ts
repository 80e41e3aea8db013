/**
 * run/guest.ts: guest memory as system calls see it: copies through the CPU's bounce buffer, with the guest's faults.
 *
 *   bounce  [0, CALL_BYTES)                data of the call under way
 *           [PAGE_IN_OFFSET, + 4096)       addresses of the frames that a page-in or a write-back is about
 *
 * Promise    a copy is whole or an errno (what was already written stays written, as in Linux). A fault on a file page is
 *            served here and the copy starts again.
 * Errors     -EFAULT for a bad address, also past the end of a mapped file; -ENOMEM when no frame is left.
 */
import { Errno } from "../core/abi/errno.js";
import { Exit } from "../core/abi/exit.js";
import type { Core } from "./core.js";
import { CALL_BYTES, type FilePort, PAGE_IN_OFFSET } from "./files/marshal.js";
import { HostCall } from "./files/service.js";
import type { HostPort } from "./hostport.js";

/** mm/uaccess.ts and task/word.ts: results below this name an Exit to serve. */
const NEED = -4096;
const PAGE = 4096;
/** Pages that one request to the host reads or writes. */
const READ_AHEAD = 16;
const EVERYTHING = 1n << 43n;

/** How serving a file page ended. */
export enum PageIn {
  Done,
  /** The page lies past the end of its file, or could not be read. */
  Bus,
  NoFrame,
}

export class Guest implements FilePort {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  private readonly base: number;

  constructor(
    readonly core: Core,
    readonly cpu: number,
    memory: WebAssembly.Memory,
    private readonly port: HostPort,
  ) {
    this.base = core.bounce(cpu);
    this.bytes = new Uint8Array(memory.buffer, this.base, CALL_BYTES);
    this.view = new DataView(memory.buffer, this.base, CALL_BYTES);
  }

  /** The bounce buffer's address, for core calls that write records to it. */
  get out(): number {
    return this.base;
  }

  copyIn(address: bigint, offset: number, length: number): number {
    if (length === 0) return 0;
    return this.serve(() => this.core.copyFromUser(this.cpu, this.base + offset, address, length));
  }

  copyOut(address: bigint, offset: number, length: number): number {
    if (length === 0) return 0;
    return this.serve(() => this.core.copyToUser(this.cpu, address, this.base + offset, length));
  }

  /** Interruptible: file calls. */
  request(nr: number, args: readonly bigint[], flags: number): number {
    const result = this.port.request(nr, args, flags, true);
    this.trim();
    return result;
  }

  /** All dirty pages of these objects go to their files; the first errno. */
  writeBackObjects(objects: readonly number[]): number {
    let error = 0;
    for (const object of objects) error = Math.min(this.writeBack(object, 0n, EVERYTHING), 0) || error;
    return error;
  }

  /** /proc/PID/mem. A page at a time, so that what lies before a bad one is moved (fs/proc/base.c:mem_rw). */
  moveMemory(pid: number, address: bigint, length: number, write: boolean): number {
    const { core, cpu, base } = this;
    const space = core.processSpace(cpu, pid);
    if (space === 0) return 0;
    let done = 0;
    try {
      while (done < length) {
        const at = address + BigInt(done);
        const count = Math.min(PAGE - Number(at & 4095n), length - done);
        const move = (): bigint =>
          write
            ? core.remoteWrite(cpu, space, at, base + done, count)
            : core.remoteRead(cpu, space, base + done, at, count);
        if (this.serve(move) < 0) return done || -Errno.EIO;
        done += count;
      }
      return done;
    } finally {
      core.putSpace(cpu, space);
    }
  }

  /** Repeats `attempt` while it wants a page; its result, 0 or more, or an errno. */
  serve(attempt: () => bigint): number {
    for (;;) {
      const result = Number(attempt());
      if (result > NEED) return result;
      if (NEED - result !== Exit.Io) return -Errno.ENOMEM;
      const paged = this.pageIn();
      if (paged !== PageIn.Done) return paged === PageIn.Bus ? -Errno.EFAULT : -Errno.ENOMEM;
    }
  }

  /** Reads the file page that the last fault asked for and installs it. */
  pageIn(): PageIn {
    const { core, cpu } = this;
    const list = this.base + PAGE_IN_OFFSET;
    const count = core.pageInBegin(cpu, list, READ_AHEAD);
    if (count < 0) return PageIn.NoFrame;
    // Another thread was first, or the object is gone: the access that starts again finds what is there now.
    if (count === 0) return PageIn.Done;
    let read = 0;
    try {
      const args = [BigInt(core.ioObject(cpu)), core.ioOffset(cpu), BigInt(count), BigInt(PAGE_IN_OFFSET), 0n, 0n];
      read = this.port.request(HostCall.ReadPages, args, 0, false);
    } finally {
      core.pageInEnd(cpu, list, count, Math.max(0, read));
    }
    return read > 0 || read === -Errno.EBADF ? PageIn.Done : PageIn.Bus;
  }

  /**
   * Ends the objects that lost their last mapping: dirty pages go to their files first, then the host is told. One that is
   * mapped again meanwhile lives on.
   */
  releaseObjects(): void {
    const { core, cpu } = this;
    for (let object = core.takeReleasedObject(cpu); object !== 0; object = core.takeReleasedObject(cpu)) {
      const lost = this.writeBack(object, 0n, EVERYTHING) < 0 ? 1 : 0;
      if (core.forgetObject(cpu, object, lost) !== 0) this.port.release(object);
    }
  }

  /** Writes the dirty pages of [from, end) of an object to its file: 0, or the errno of the first that could not be written. */
  writeBack(object: number, from: bigint, end: bigint): number {
    const { core, cpu } = this;
    const list = this.base + PAGE_IN_OFFSET;
    let at = from;
    for (;;) {
      const count = core.writebackBegin(cpu, object, at, end, list);
      if (count === 0) return 0;
      const offset = core.ioOffset(cpu);
      let written = 0;
      try {
        const args = [BigInt(object), offset, BigInt(count), BigInt(PAGE_IN_OFFSET), 0n, 0n];
        written = this.port.request(HostCall.WritePages, args, 0, false);
      } finally {
        core.writebackEnd(cpu, list, count, Math.max(0, written));
      }
      if (written < 0) return written;
      at = offset + BigInt(count * PAGE);
    }
  }

  /** After a file call: pages past the end of a file that was made shorter go, before the guest goes on. */
  trim(): void {
    if (this.core.trimsPending() !== 0) this.core.trimObjects(this.cpu);
  }

  /** Copies bytes of TypeScript's own to the guest, in pieces of the bounce buffer. */
  write(address: bigint, data: Uint8Array): number {
    for (let done = 0; done < data.length; done += CALL_BYTES) {
      const piece = data.subarray(done, done + CALL_BYTES);
      this.bytes.set(piece);
      const error = this.copyOut(address + BigInt(done), 0, piece.length);
      if (error < 0) return error;
    }
    return 0;
  }

  writeU32(address: bigint, value: number): number {
    this.view.setUint32(0, value >>> 0, true);
    return this.copyOut(address, 0, 4);
  }

  writeU64(address: bigint, value: bigint): number {
    this.view.setBigInt64(0, value, true);
    return this.copyOut(address, 0, 8);
  }

  /** Two words: timespec, timeval, a resource limit. */
  writePair(address: bigint, first: bigint, second: bigint): number {
    this.view.setBigInt64(0, first, true);
    this.view.setBigInt64(8, second, true);
    return this.copyOut(address, 0, 16);
  }

  readU64(address: bigint): bigint | number {
    const error = this.copyIn(address, 0, 8);
    return error < 0 ? error : this.view.getBigUint64(0, true);
  }

  /** A NUL-terminated string of at most `limit` bytes, cut there; or an errno. */
  readString(address: bigint, limit: number): string | number {
    let text = "";
    for (let done = 0; done < limit; ) {
      const at = address + BigInt(done);
      const take = Math.min(PAGE - Number(at & 0xfffn), limit - done);
      const error = this.copyIn(at, 0, take);
      if (error < 0) return error;
      const piece = this.bytes.slice(0, take);
      const end = piece.indexOf(0);
      text += String.fromCharCode(...(end < 0 ? piece : piece.subarray(0, end)));
      if (end >= 0) break;
      done += take;
    }
    return text;
  }
}
