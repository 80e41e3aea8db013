/** files/vnode.ts: a file as the tree sees it, whoever stores it: memory (memfs.ts), the host (hostdir.ts), /proc.
 *  The walker (resolve.ts) is the only caller of lookup and readlink; verbs call the rest after it. A name passed in is
 *  one component, never empty, "." or "..". Everything here throws Fail. */
import { Errno } from "../../core/abi/errno.js";
import { fail } from "./fail.js";
import type { Handle } from "./handle.js";
import { Access, Mode } from "./linux.js";
import type { FsStat, Stat } from "./stat.js";

export interface Entry {
  readonly name: string;
  readonly type: number;
  readonly ino: bigint;
}

export interface Credentials {
  readonly uid: number;
  readonly gid: number;
}

/** A file system attached to the tree: at `name` of a directory, over whatever has that name there. */
export interface Mount {
  readonly root: Vnode;
  readonly readOnly: boolean;
  /** undefined: the root of everything, or not in the tree at all (pipes). */
  readonly at?: { readonly place: Place; readonly name: string };
}

/** Where the walker stands: a file, reached through a mount. */
export interface Place {
  readonly mount: Mount;
  readonly node: Vnode;
}

export abstract class Vnode {
  abstract stat(): Stat;
  /** The same file, not an equal one. */
  abstract same(other: Vnode): boolean;
  abstract open(flags: number, credentials: Credentials): Handle;
  abstract statfs(): FsStat;

  /** As Handle.identity of what open gives. */
  get identity(): unknown {
    return undefined;
  }

  /** A Mode type. */
  get type(): number {
    return this.stat().mode & Mode.TypeMask;
  }

  /** A link of /proc that leads to an open file itself, whatever its text says. */
  jump(): Place | undefined {
    return undefined;
  }

  /** What is written to it changes nothing of its file system, which may be read-only: /proc/PID/mem. */
  get leadsElsewhere(): boolean {
    return false;
  }

  /** Throws EACCES unless the credentials give the bits of Access. */
  access(bits: number, credentials: Credentials): void {
    if (!permits(this.stat(), bits, credentials)) fail(Errno.EACCES);
  }

  /** Throws EACCES unless names of this directory may be used. */
  search(credentials: Credentials): void {
    this.access(Access.Exec, credentials);
  }

  /** A descriptor, a working directory or a mount holds it: a rename must keep it true. */
  hold(): void {}
  letGo(): void {}

  lookup(_name: string): Vnode {
    return fail(Errno.ENOTDIR);
  }
  list(): Entry[] {
    return fail(Errno.ENOTDIR);
  }
  /** The directory above; undefined at a file system's root. */
  above(): Vnode | undefined {
    return undefined;
  }
  /** The name in the directory above; undefined when removed. */
  nameAbove(): string | undefined {
    return undefined;
  }
  /** What is said instead of a path, of a file that never had a name. */
  get shownAs(): string | undefined {
    return undefined;
  }
  /** The name it had there, when removed. */
  lastName(): string | undefined {
    return undefined;
  }
  readlink(): string {
    return fail(Errno.EINVAL);
  }
  create(_name: string, _flags: number, _mode: number, _credentials: Credentials): Handle {
    return fail(Errno.EACCES);
  }
  mkdir(_name: string, _mode: number, _credentials: Credentials): void {
    fail(Errno.EPERM);
  }
  symlink(_name: string, _target: string, _credentials: Credentials): void {
    fail(Errno.EPERM);
  }
  link(_name: string, _to: Vnode): void {
    fail(Errno.EPERM);
  }
  unlink(_name: string, _credentials: Credentials): void {
    fail(Errno.EPERM);
  }
  rmdir(_name: string, _credentials: Credentials): void {
    fail(Errno.EPERM);
  }
  rename(_name: string, _to: Vnode, _toName: string, _credentials: Credentials): void {
    fail(Errno.EPERM);
  }
  truncate(_size: number, _credentials: Credentials): void {
    fail(Errno.EINVAL);
  }
  chmod(_mode: number): void {
    fail(Errno.EPERM);
  }
  chown(_uid: number, _gid: number): void {
    fail(Errno.EPERM);
  }
  utimes(_accessNs: bigint, _modifyNs: bigint): void {
    fail(Errno.EPERM);
  }
}

/** fs/namei.c:generic_permission: root reads and writes all, and executes what anyone may. */
export function permits(stat: Stat, bits: number, credentials: Credentials): boolean {
  if (credentials.uid === 0) {
    const directory = (stat.mode & Mode.TypeMask) === Mode.Directory;
    return !(bits & Access.Exec) || directory || (stat.mode & 0o111) !== 0;
  }
  const shift = stat.uid === credentials.uid ? 6 : stat.gid === credentials.gid ? 3 : 0;
  return ((stat.mode >> shift) & 7 & bits) === bits;
}
