/** files/handle.ts: the inside of an open file: what read, write, fstat and poll reach.
 *  A handle belongs to one open file description (description.ts) and to the mapped objects made from it; it counts
 *  them, and the last release disposes of it. Every operation is synchronous: one that would have to wait answers
 *  -EAGAIN, and watch() tells when to try again. So blocking, non-blocking, cancelled and polled calls share one path. */
import { Errno } from "../../core/abi/errno.js";
import { fail } from "./fail.js";
import type { HostTerminal } from "./host.js";
import { Poll } from "./linux.js";
import type { Stat } from "./stat.js";

export abstract class Handle {
  private references = 1;

  /** Has positions: pread, lseek and mmap make sense. */
  get seekable(): boolean {
    return false;
  }

  /** A regular file: its large writes are one. */
  get regular(): boolean {
    return false;
  }

  /** May be mapped. */
  get mappable(): boolean {
    return this.regular;
  }

  /** Every write goes to the end, whatever the position, and this cannot be changed. */
  get appends(): boolean {
    return false;
  }

  /** The position is the host descriptor's own, shared with other processes (stdin, stdout, stderr of a shell): read and
   *  write with `at` -1 use it, tell and seek are its own. */
  get keepsPosition(): boolean {
    return false;
  }
  tell(): number {
    return 0;
  }
  seek(_to: number): void {}

  /** Equal for all handles of one file, and for no other's; undefined: nobody else can have this one. */
  get identity(): unknown {
    return undefined;
  }

  /** What links of /proc say it is, when it has no path: "/memfd:NAME (deleted)". */
  get label(): string | undefined {
    return undefined;
  }

  /** From here on the file has only holes; Infinity: not known. */
  get dataEnd(): number {
    return Number.POSITIVE_INFINITY;
  }

  /** Bits of Seal; undefined: a file that has none (fcntl(2), F_GET_SEALS). */
  get seals(): number | undefined {
    return undefined;
  }
  addSeals(_seals: number): void {
    fail(Errno.EINVAL);
  }

  /** A handle of the same file, the caller's own, through which pages of mappings are written. */
  forWriteback(): Handle {
    return this.retain();
  }

  /** What a shared mapping of it maps, the caller's own. */
  sharedMapping(): Handle {
    return this.retain();
  }

  get terminal(): HostTerminal | undefined {
    return undefined;
  }

  retain(): this {
    this.references++;
    return this;
  }

  release(): void {
    if (--this.references === 0) this.dispose();
  }

  protected dispose(): void {}

  abstract stat(): Stat;

  /** Bytes read from position `at` (streams ignore it); 0 at the end; -EAGAIN. */
  read(_into: Uint8Array, _at: number): number {
    return fail(Errno.EINVAL);
  }

  /** Of what was read last only the first `kept` bytes reached the guest: how many count as read. The rest is lost, where
   *  nothing else is said. */
  giveBack(_read: Uint8Array, kept: number): number {
    return kept;
  }

  /** Bytes written at `at`; -EAGAIN; fewer than asked when only some fit. */
  write(_from: Uint8Array, _at: number): number {
    return fail(Errno.EINVAL);
  }

  /** A page of a mapping is written: as write, but no seal forbids it. */
  writeBack(from: Uint8Array, at: number): number {
    return this.write(from, at);
  }

  /** The range becomes a hole, the size stays. */
  punch(_offset: number, _length: number): void {
    fail(Errno.EOPNOTSUPP);
  }

  truncate(_size: number): void {
    fail(Errno.EINVAL);
  }

  sync(_dataOnly: boolean): void {
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

  poll(): number {
    return Poll.In | Poll.Out;
  }

  /** Bytes a read would give at once (FIONREAD). */
  available(): number {
    return fail(Errno.ENOTTY);
  }

  /** Calls listener whenever poll() may have changed; returns what ends it. */
  watch(_events: number, _listener: () => void): () => void {
    return () => {};
  }
}

/** Who waits on a handle: a small set of listeners. */
export class Listeners {
  private readonly set = new Set<() => void>();

  add(listener: () => void): () => void {
    const own = (): void => listener();
    this.set.add(own);
    return () => this.set.delete(own);
  }

  get isEmpty(): boolean {
    return this.set.size === 0;
  }

  /** Listeners may leave or join while they are told. */
  tell(): void {
    for (const listener of [...this.set]) if (this.set.has(listener)) listener();
  }
}
