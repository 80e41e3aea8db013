/** files/objects.ts: what mmap maps: one object an inode, with the core's page cache over it.
 *
 *     fd 3 ─> Handle ─┐                                 ┌─ vma, process 100
 *                     ├─ inode ─── object 7 ─── cache ──┤
 *     fd 9 ─> Handle ─┘            (here)       (core)  └─ vma, process 104
 *
 *  Promise    as long as a mapping, or a request that is about to make one, refers to an inode, all mappings of it have the
 *             same object, whatever descriptors they came from, open or closed since; read and write see what mappings see.
 *  Numbers    never used again: a late request for one that was released gets EBADF.
 *  File       an object keeps its file open. Once it was mapped shared by who may write, it keeps it open for writing: pages
 *             are written back after the descriptor has been closed.
 *  Coherence  everything that reads, writes or resizes a regular file comes through read(), write(), resized(), punch():
 *             first the file, then the core's pages. Without a cache (tests) or an object they are the handle's own.
 *  Linux      compare mm/filemap.c (address_space), mm/truncate.c:truncate_pagecache */
import { Errno } from "../../core/abi/errno.js";
import type { Call } from "./call.js";
import { fail } from "./fail.js";
import type { Handle } from "./handle.js";
import type { PageCache } from "./service.js";
import type { Place } from "./vnode.js";

const PAGE = 4096;

export interface FileObject {
  readonly id: number;
  readonly inode: unknown;
  handle: Handle;
  /** The handle is good for WritePages. */
  writable: boolean;
  /** What it was mapped by first: /proc/PID/maps. Held. */
  readonly place: Place;
}

export class Objects {
  cache: PageCache | undefined;
  private readonly byId = new Map<number, FileObject>();
  private readonly byInode = new Map<unknown, FileObject>();
  private last = 0;

  /** The object of the handle's inode, with a reference in the cache for the caller. The handle stays the caller's.
   *  `writes`: it may have to be written back through this handle. */
  open(handle: Handle, place: Place, writes: boolean): number {
    const inode = handle.identity;
    const known = inode === undefined ? undefined : this.byInode.get(inode);
    const object = known ?? this.add(handle, place);
    if (writes && !object.writable) {
      const old = object.handle;
      object.handle = handle.forWriteback();
      object.writable = true;
      old.release();
    }
    const opened = this.cache?.open(object.id, Number(handle.stat().size), handle.dataEnd) ?? true;
    if (opened) return object.id;
    if (!known) this.drop(object);
    return fail(Errno.ENOMEM);
  }

  private add(handle: Handle, place: Place): FileObject {
    place.node.hold();
    const inode = handle.identity;
    const object: FileObject = { id: ++this.last, inode, handle: handle.retain(), writable: false, place };
    this.byId.set(object.id, object);
    if (inode !== undefined) this.byInode.set(inode, object);
    return object;
  }

  get(id: number): FileObject {
    return this.byId.get(id) ?? fail(Errno.EBADF);
  }

  find(id: number): FileObject | undefined {
    return this.byId.get(id);
  }

  /** The object over an open file, if a cache may have pages of it. */
  of(handle: Handle): FileObject | undefined {
    return this.ofInode(handle.identity);
  }

  ofInode(inode: unknown): FileObject | undefined {
    return this.cache && this.byInode.size > 0 && inode !== undefined ? this.byInode.get(inode) : undefined;
  }

  release(id: number): number {
    const object = this.byId.get(id);
    if (!object) return 0;
    if (this.cache && !this.cache.forget(id)) return -Errno.EBUSY;
    this.drop(object);
    return 0;
  }

  private drop(object: FileObject): void {
    this.byId.delete(object.id);
    if (this.byInode.get(object.inode) === object) this.byInode.delete(object.inode);
    object.handle.release();
    object.place.node.letGo();
  }

  /** The machine has ended: what is still mapped is let go too. */
  dropAll(): void {
    for (const object of [...this.byId.values()]) this.drop(object);
  }

  readPages(call: Call): number {
    return fill(this.get(call.uint(0)).handle, pagesOf(call), call.offset(1));
  }

  writePages(call: Call): number {
    const { handle, writable } = this.get(call.uint(0));
    const pages = pagesOf(call);
    if (!writable) fail(Errno.EBADF);
    const size = Number(handle.stat().size);
    let at = call.offset(1);
    for (const page of pages) {
      const part = page.subarray(0, Math.max(0, Math.min(PAGE, size - at)));
      for (let done = 0; done < part.length; ) {
        const count = handle.writeBack(part.subarray(done), at + done);
        if (count <= 0) fail(count === -Errno.ENOSPC ? Errno.ENOSPC : Errno.EIO);
        done += count;
      }
      at += PAGE;
    }
    return pages.length;
  }

  /** read at `at`, or with -1 at the handle's own position. */
  read(handle: Handle, into: Uint8Array, at: number): number {
    const object = this.of(handle);
    if (!object) return handle.read(into, at);
    const from = at < 0 ? handle.tell() : at;
    const count = handle.read(into, at);
    if (count > 0) this.cache?.read(object.id, from, into.subarray(0, count));
    return count;
  }

  write(handle: Handle, from: Uint8Array, at: number): number {
    const object = this.of(handle);
    if (!object) return handle.write(from, at);
    const before = handle.stat().size;
    const position = at < 0 ? handle.tell() : at;
    const count = handle.write(from, at);
    if (count <= 0) return count;
    const { size } = handle.stat();
    if (size !== before) this.cache?.resize(object.id, Number(size));
    // An appending descriptor of the host writes at the end, whatever the position.
    const to = handle.appends ? Number(size) - count : position;
    this.cache?.write(object.id, to, from.subarray(0, count));
    return count;
  }

  truncate(handle: Handle, size: number): void {
    handle.truncate(size);
    this.resized(handle.identity, size);
  }

  /** The inode has another size now. */
  resized(inode: unknown, size: number): void {
    const object = this.ofInode(inode);
    if (object) this.cache?.resize(object.id, size);
  }

  punch(handle: Handle, offset: number, length: number): void {
    handle.punch(offset, length);
    const object = this.of(handle);
    if (object) this.cache?.punch(object.id, offset, length);
  }

  /** Shared mappings through which the file may be written. */
  writableMappings(handle: Handle): number {
    const object = this.of(handle);
    return object ? (this.cache?.writableMappings(object.id) ?? 0) : 0;
  }

  mappings(id: number): number {
    return this.cache?.mappings(id) ?? 0;
  }

  /** Objects that may have pages their file has not. */
  writable(): number[] {
    return this.cache ? [...this.byId.values()].filter(({ writable }) => writable).map(({ id }) => id) : [];
  }
}

function pagesOf(call: Call): readonly Uint8Array[] {
  const { pages } = call.request;
  if (pages?.length !== call.uint(2)) throw new Error("pagesOf: the machine did not hand over the frames");
  return pages;
}

/** Fills pages from the file; how many begin before its end. */
function fill(handle: Handle, pages: readonly Uint8Array[], at: number): number {
  let inside = 0;
  pages.forEach((page, i) => {
    const count = readWhole(handle, page, at + i * PAGE);
    if (count > 0) inside = i + 1;
    page.fill(0, count);
  });
  return inside;
}

function readWhole(handle: Handle, into: Uint8Array, at: number): number {
  let done = 0;
  while (done < into.length) {
    const count = handle.read(into.subarray(done), at + done);
    if (count < 0) fail(Errno.EIO);
    if (count === 0) break;
    done += count;
  }
  return done;
}
