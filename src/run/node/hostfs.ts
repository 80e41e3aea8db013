/** node/hostfs.ts: the host's files for the guest's tree, through node:fs.
 *  Names are byte strings (files/bytes.ts): given to Node as buffers, taken from it as latin1, so no byte changes.
 *  Everything is synchronous: a call of a guest is one step of the main thread, and on a regular file a short one.
 *  No link is followed, the last name's neither (beneath.ts, O_NOFOLLOW), and opening never waits (O_NONBLOCK); what is
 *  neither file nor directory is refused, as on a file system mounted nodev (devices EACCES, pipes and sockets ENXIO). */
import fs from "node:fs";
import os from "node:os";
import { Errno } from "../../core/abi/errno.js";
import { Fail, fail } from "../files/fail.js";
import type { HostEntry, HostFs } from "../files/host.js";
import { Mode, Open } from "../files/linux.js";
import type { FsStat, Stat } from "../files/stat.js";
import { inside, pinned, through } from "./beneath.js";

const { constants } = fs;

/** Linux's open flags in the host's numbers; the rest is the tree's or means nothing on a regular file. */
const FLAGS: ReadonlyArray<readonly [number, number]> = [
  [Open.WriteOnly, constants.O_WRONLY],
  [Open.ReadWrite, constants.O_RDWR],
  [Open.Create, constants.O_CREAT],
  [Open.Exclusive, constants.O_EXCL],
  [Open.Truncate, constants.O_TRUNC],
  [Open.Append, constants.O_APPEND],
  [Open.Directory, constants.O_DIRECTORY],
  [Open.DataSync, constants.O_DSYNC ?? constants.O_SYNC],
];

function hostFlagsOf(flags: number): number {
  let hostFlags = constants.O_NONBLOCK | constants.O_NOCTTY;
  for (const [linux, host] of FLAGS) if (flags & linux) hostFlags |= host;
  return hostFlags;
}

const hostUmask = process.umask();

/** A host error is the guest's errno, by name: numbers differ between systems. */
export function toErrno(error: unknown): Errno {
  const { code, errno } = error as NodeJS.ErrnoException;
  const byName = code ? Errno[code as keyof typeof Errno] : undefined;
  if (byName !== undefined) return byName;
  const name = Object.entries(os.constants.errno).find(([, number]) => number === -(errno ?? 0))?.[0];
  return (name && Errno[name as keyof typeof Errno]) || Errno.EIO;
}

function tried<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof Fail || !(error as NodeJS.ErrnoException).code) throw error;
    return fail(toErrno(error));
  }
}

/** What a read or write of the host moved, or its negative errno. */
export function counted(body: () => number): number {
  try {
    return body();
  } catch (error) {
    return -toErrno(error);
  }
}

export function toStat(stat: fs.BigIntStats): Stat {
  return {
    dev: stat.dev,
    ino: stat.ino,
    mode: Number(stat.mode),
    nlink: Number(stat.nlink),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    rdev: stat.rdev,
    size: stat.size,
    blockSize: Number(stat.blksize),
    blocks: stat.blocks,
    accessNs: stat.atimeNs,
    modifyNs: stat.mtimeNs,
    changeNs: stat.ctimeNs,
  };
}

function typeOf(entry: fs.Dirent<Buffer>): number {
  if (entry.isFile()) return Mode.Regular;
  if (entry.isDirectory()) return Mode.Directory;
  if (entry.isSymbolicLink()) return Mode.Link;
  if (entry.isFIFO()) return Mode.Fifo;
  if (entry.isSocket()) return Mode.Socket;
  if (entry.isCharacterDevice()) return Mode.CharDevice;
  return entry.isBlockDevice() ? Mode.BlockDevice : 0;
}

/** Seconds with their fraction: Node has no finer way to set a time (exact to about 0.2 microseconds). */
const seconds = (ns: bigint): number => Number(ns) / 1e9;

class NodeHostFs implements HostFs {
  lstat(path: string): Stat {
    return tried(() => toStat(fs.lstatSync(through(path), { bigint: true })));
  }

  fstat(fd: number): Stat {
    return tried(() => toStat(fs.fstatSync(fd, { bigint: true })));
  }

  open(path: string, flags: number, mode: number): number {
    return tried(() => {
      const fd = fs.openSync(through(path), hostFlagsOf(flags) | constants.O_NOFOLLOW, mode);
      const type = fs.fstatSync(fd).mode & Mode.TypeMask;
      if (type !== Mode.Regular && type !== Mode.Directory) {
        fs.closeSync(fd);
        fail(type === Mode.Fifo ? Errno.ENXIO : Errno.EACCES);
      }
      // The guest's umask counts, not the one Faultline was started with.
      if (flags & Open.Create && mode & hostUmask) fs.fchmodSync(fd, mode);
      return fd;
    });
  }

  close(fd: number): void {
    tried(() => fs.closeSync(fd));
  }

  /** Through /proc, the only way to a file that has no name; a host without it answers ENOENT. */
  reopen(fd: number, flags: number): number {
    return tried(() => fs.openSync(`/proc/self/fd/${fd}`, hostFlagsOf(flags)));
  }

  read(fd: number, into: Uint8Array, position: number): number {
    return tried(() => fs.readSync(fd, into, 0, into.length, position < 0 ? null : position));
  }

  write(fd: number, from: Uint8Array, position: number): number {
    return tried(() => fs.writeSync(fd, from, 0, from.length, position < 0 ? null : position));
  }

  ftruncate(fd: number, size: number): void {
    tried(() => fs.ftruncateSync(fd, size));
  }

  fsync(fd: number, dataOnly: boolean): void {
    tried(() => (dataOnly ? fs.fdatasyncSync(fd) : fs.fsyncSync(fd)));
  }

  readdir(path: string): HostEntry[] {
    const entries = tried(() => fs.readdirSync(inside(path), { withFileTypes: true, encoding: "buffer" }));
    return entries.map((entry) => ({ name: entry.name.toString("latin1"), type: typeOf(entry) }));
  }

  readlink(path: string): string {
    return tried(() => fs.readlinkSync(through(path), { encoding: "latin1" }));
  }

  mkdir(path: string, mode: number): void {
    tried(() => {
      fs.mkdirSync(through(path), mode);
      if (mode & hostUmask) pinned(path, (at) => fs.chmodSync(at, mode));
    });
  }

  rmdir(path: string): void {
    tried(() => fs.rmdirSync(through(path)));
  }

  unlink(path: string): void {
    tried(() => fs.unlinkSync(through(path)));
  }

  symlink(target: string, path: string): void {
    tried(() => fs.symlinkSync(Buffer.from(target, "latin1"), through(path)));
  }

  link(from: string, to: string): void {
    tried(() => fs.linkSync(through(from), through(to)));
  }

  rename(from: string, to: string): void {
    tried(() => fs.renameSync(through(from), through(to)));
  }

  chmod(path: string, mode: number): void {
    tried(() => pinned(path, (at) => fs.chmodSync(at, mode)));
  }

  fchmod(fd: number, mode: number): void {
    tried(() => fs.fchmodSync(fd, mode));
  }

  lchown(path: string, uid: number, gid: number): void {
    tried(() => fs.lchownSync(through(path), uid, gid));
  }

  fchown(fd: number, uid: number, gid: number): void {
    tried(() => fs.fchownSync(fd, uid, gid));
  }

  lutimes(path: string, accessNs: bigint, modifyNs: bigint): void {
    tried(() => fs.lutimesSync(through(path), seconds(accessNs), seconds(modifyNs)));
  }

  futimes(fd: number, accessNs: bigint, modifyNs: bigint): void {
    tried(() => fs.futimesSync(fd, seconds(accessNs), seconds(modifyNs)));
  }

  access(path: string, bits: number): void {
    tried(() => pinned(path, (at) => fs.accessSync(at, bits)));
  }

  statfs(path: string): FsStat {
    const stat = tried(() => pinned(path, (at) => fs.statfsSync(at, { bigint: true })));
    const { type, bsize, blocks, bfree, bavail, files, ffree } = stat;
    return { type, blockSize: bsize, blocks, free: bfree, available: bavail, files, freeFiles: ffree };
  }
}

export const nodeHostFs: HostFs = new NodeHostFs();
