/** files/objects.ts: what mmap maps: open files held by number, apart from the descriptors that led to them.
 *  An object holds its file until the last mapping has gone; numbers are never used again. */
import { Errno } from "../../core/abi/errno.js";
import { type Call, openOf, type State } from "./call.js";
import { fail } from "./fail.js";
import type { Handle } from "./handle.js";

const PAGE = 4096;
const PROT_WRITE = 2;
const MAP_SHARED = 1;

export class MappedObjects {
  private readonly handles = new Map<number, Handle>();
  private last = 0;

  /** Takes over one reference of the handle. */
  add(handle: Handle): number {
    this.handles.set(++this.last, handle);
    return this.last;
  }

  /** (fd, prot, flags); checks as mm/mmap.c:do_mmap. */
  map(state: State, call: Call): number {
    const { handle, readable, writable } = openOf(state, call.int(0));
    const shared = (call.uint(2) & 3) === MAP_SHARED || (call.uint(2) & 3) === 3;
    if (!readable) fail(Errno.EACCES);
    if (shared && call.uint(1) & PROT_WRITE && !writable) fail(Errno.EACCES);
    if (!handle.mappable) fail(Errno.ENODEV);
    return this.add(handle.retain());
  }

  /**
   * (object, byte offset, bounce offset) -> 1, or 0 past the end; EBADF: the object's last mapping went while the fault
   * was on its way. The page lies behind the call's part of the buffer.
   */
  readPage(call: Call): number {
    const handle = this.handles.get(call.uint(0)) ?? fail(Errno.EBADF);
    const { buffer, byteOffset } = call.request.bounce;
    const page = new Uint8Array(buffer, byteOffset + call.uint(2), PAGE);
    const count = this.readInto(handle, page, call.offset(1));
    if (count > 0) page.fill(0, count);
    return count > 0 ? 1 : 0;
  }

  private readInto(handle: Handle, into: Uint8Array, at: number): number {
    let done = 0;
    while (done < into.length) {
      const count = handle.read(into.subarray(done), at + done);
      if (count < 0) fail(Errno.EIO);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  release(object: number): number {
    this.handles.get(object)?.release();
    this.handles.delete(object);
    return 0;
  }

  releaseAll(): void {
    for (const object of [...this.handles.keys()]) this.release(object);
  }
}
