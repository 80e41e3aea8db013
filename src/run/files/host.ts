/** files/host.ts: what the file tree asks of the machine under it.
 *  Every path handed over is absolute, made of names that were looked up one by one (resolve.ts): no "." or "..", and
 *  no symbolic link followed but the last one's own meaning. Names are byte strings (bytes.ts). All calls are synchronous
 *  and throw Fail with Linux's errno. An adapter for Node is in run/node/hostfs.ts. */
import type { FsStat, Stat } from "./stat.js";

export interface HostEntry {
  readonly name: string;
  /** A Mode type, or 0 when not known. */
  readonly type: number;
}

export interface HostFs {
  lstat(path: string): Stat;
  fstat(fd: number): Stat;
  /** flags: Linux's numbers (Open); the adapter adds no-follow and non-blocking. Regular files and directories only. */
  open(path: string, flags: number, mode: number): number;
  close(fd: number): void;
  /** Another descriptor of the same file, whatever became of its name; flags as open's. */
  reopen(fd: number, flags: number): number;
  /** position -1: the host descriptor's own. */
  read(fd: number, into: Uint8Array, position: number): number;
  write(fd: number, from: Uint8Array, position: number): number;
  ftruncate(fd: number, size: number): void;
  fsync(fd: number, dataOnly: boolean): void;
  readdir(path: string): HostEntry[];
  readlink(path: string): string;
  mkdir(path: string, mode: number): void;
  rmdir(path: string): void;
  unlink(path: string): void;
  symlink(target: string, path: string): void;
  link(from: string, to: string): void;
  rename(from: string, to: string): void;
  chmod(path: string, mode: number): void;
  fchmod(fd: number, mode: number): void;
  lchown(path: string, uid: number, gid: number): void;
  fchown(fd: number, uid: number, gid: number): void;
  lutimes(path: string, accessNs: bigint, modifyNs: bigint): void;
  futimes(fd: number, accessNs: bigint, modifyNs: bigint): void;
  /** bits of Access; throws EACCES. */
  access(path: string, bits: number): void;
  statfs(path: string): FsStat;
}

/** One end of the process's own stdin, stdout or stderr when it is no regular file: never blocks. */
export interface HostStream {
  readonly terminal: HostTerminal | undefined;
  stat(): Stat;
  /** Bytes read, 0 at the end, -EAGAIN when there is nothing yet, or another negative errno. */
  read(into: Uint8Array): number;
  /** Bytes taken, fewer than asked or -EAGAIN when the other side is slow, or another negative errno. */
  write(from: Uint8Array): number;
  readable(): boolean;
  writable(): boolean;
  /** Calls listener when reading or writing may have become possible; asks the host for it only while watched. */
  watch(reading: boolean, listener: () => void): () => void;
  /** Bytes that can be read at once. */
  available(): number;
  /** The guest has closed its last descriptor. The process's own stays open, so the other side sees the end only when the run
   *  ends: a number that is closed is anybody's, a worker thread that opens a file at that moment would get 0, 1 or 2. */
  close(): void;
  /** Resolves when every byte that write() took has left this process. */
  drained(): Promise<void>;
}

export interface HostTerminal {
  size(): { columns: number; rows: number };
  setRaw(raw: boolean): void;
}

export type HostStdio =
  | { readonly kind: "file"; readonly fd: number; readonly flags: number; tell(): number }
  | { readonly kind: "stream"; readonly stream: HostStream; readonly flags: number };
