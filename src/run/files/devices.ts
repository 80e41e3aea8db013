/** files/devices.ts: /dev: null, zero, full, random, urandom, tty and the links to the process's own descriptors.
 *  Numbers as Documentation/admin-guide/devices.txt; behaviour as drivers/char/mem.c and random.c. */
import { Errno } from "../../core/abi/errno.js";
import { fail } from "./fail.js";
import type { Handle } from "./handle.js";
import { makedev } from "./linux.js";
import { MemDevice, MemFile, MemFileHandle, MemLink } from "./memfile.js";
import { MemFs } from "./memfs.js";
import { MemHandle } from "./meminode.js";
import type { Credentials } from "./vnode.js";

/** getRandomValues gives at most this much at once, and refuses shared memory. */
const RANDOM_MAX = 65536;
const ADDRESS_SPACE_BYTES = 2 ** 38;

abstract class DeviceHandle extends MemHandle<MemDevice> {
  override get seekable(): boolean {
    return true;
  }
  override read(into: Uint8Array, _at: number): number {
    into.fill(0);
    return into.length;
  }
  override write(from: Uint8Array, _at: number): number {
    return from.length;
  }
}

class NullHandle extends DeviceHandle {
  override read(): number {
    return 0;
  }
}

class ZeroHandle extends DeviceHandle {
  override get mappable(): boolean {
    return true;
  }
  /** A file of zeros of its own, as long as anything mapped can be (mm/shmem.c:shmem_zero_setup). */
  override sharedMapping(): Handle {
    const { fs, uid, gid } = this.inode;
    const handle = new MemFileHandle(new MemFile(fs, 0o666, { uid, gid }, "/dev/zero (deleted)"));
    handle.truncate(ADDRESS_SPACE_BYTES);
    return handle;
  }
}

class FullHandle extends DeviceHandle {
  override write(): number {
    return fail(Errno.ENOSPC);
  }
}

class RandomHandle extends DeviceHandle {
  override read(into: Uint8Array): number {
    for (let at = 0; at < into.length; at += RANDOM_MAX) {
      const piece = new Uint8Array(Math.min(RANDOM_MAX, into.length - at));
      into.set(crypto.getRandomValues(piece), at);
    }
    return into.length;
  }
}

/** The tree of /dev. `tty` opens the terminal Faultline runs on, or fails with ENXIO. */
export function deviceTree(minor: number, owner: Credentials, tty: () => Handle | undefined): MemFs {
  const fs = new MemFs(minor, owner);
  const add = (name: string, major: number, number: number, opener: (node: MemDevice) => Handle): void =>
    fs.root.add(name, new MemDevice(fs, makedev(major, number), owner, opener));
  add("null", 1, 3, (node) => new NullHandle(node));
  add("zero", 1, 5, (node) => new ZeroHandle(node));
  add("full", 1, 7, (node) => new FullHandle(node));
  add("random", 1, 8, (node) => new RandomHandle(node));
  add("urandom", 1, 9, (node) => new RandomHandle(node));
  add("tty", 5, 0, () => tty() ?? fail(Errno.ENXIO));
  const links = [
    ["fd", "/proc/self/fd"],
    ["stdin", "/proc/self/fd/0"],
    ["stdout", "/proc/self/fd/1"],
    ["stderr", "/proc/self/fd/2"],
  ] as const;
  // Where shm_open(3) keeps its files.
  fs.root.mkdir("shm", 0o1777, owner);
  for (const [name, target] of links) fs.root.add(name, new MemLink(fs, target, owner));
  return fs;
}
