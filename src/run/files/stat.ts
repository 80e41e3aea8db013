/** files/stat.ts: what is known about a file, and the three records the guest reads it from.
 *
 *  struct stat, asm-generic, 128 bytes (include/uapi/asm-generic/stat.h; riscv64 has no other):
 *     0 dev u64 |  8 ino u64 | 16 mode u32 | 20 nlink u32 | 24 uid u32 | 28 gid u32 | 32 rdev u64 | 40 -
 *    48 size i64 | 56 blksize i32 | 60 - | 64 blocks i64 | 72 atime s,ns | 88 mtime s,ns | 104 ctime s,ns | 120 -
 *  struct statx, 256 bytes (linux/stat.h):
 *     0 mask u32 |  4 blksize u32 |  8 attributes u64 | 16 nlink u32 | 20 uid u32 | 24 gid u32 | 28 mode u16 | 32 ino u64
 *    40 size u64 | 48 blocks u64 | 56 attributes_mask u64 | 64 atime | 80 btime | 96 ctime | 112 mtime (s i64, ns u32, -)
 *   128 rdev major u32, minor u32 | 136 dev major u32, minor u32 | 144 -
 *  struct statfs64, 120 bytes (asm-generic/statfs.h):
 *     0 type | 8 bsize | 16 blocks | 24 bfree | 32 bavail | 40 files | 48 ffree | 56 fsid | 64 namelen | 72 frsize | 80 flags
 */
import { majorOf, minorOf, NAME_MAX } from "./linux.js";

export interface Stat {
  dev: bigint;
  ino: bigint;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: bigint;
  size: bigint;
  blockSize: number;
  blocks: bigint;
  accessNs: bigint;
  modifyNs: bigint;
  changeNs: bigint;
}

export interface FsStat {
  type: bigint;
  blockSize: bigint;
  blocks: bigint;
  free: bigint;
  available: bigint;
  files: bigint;
  freeFiles: bigint;
}

const SECOND = 1_000_000_000n;
const BASIC_STATS = 0x7ff;

/** CLOCK_REALTIME, as fine as the platform tells it. */
export const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

/** Seconds and nanoseconds, the nanoseconds never negative (times before 1970). */
function split(ns: bigint): readonly [bigint, bigint] {
  const rest = ((ns % SECOND) + SECOND) % SECOND;
  return [(ns - rest) / SECOND, rest];
}

export function writeStat(view: DataView, stat: Stat): void {
  view.setBigUint64(0, stat.dev, true);
  view.setBigUint64(8, stat.ino, true);
  view.setUint32(16, stat.mode, true);
  view.setUint32(20, stat.nlink, true);
  view.setUint32(24, stat.uid, true);
  view.setUint32(28, stat.gid, true);
  view.setBigUint64(32, stat.rdev, true);
  view.setBigUint64(40, 0n, true);
  view.setBigInt64(48, stat.size, true);
  view.setInt32(56, stat.blockSize, true);
  view.setInt32(60, 0, true);
  view.setBigInt64(64, stat.blocks, true);
  [stat.accessNs, stat.modifyNs, stat.changeNs].forEach((ns, i) => {
    const [seconds, rest] = split(ns);
    view.setBigInt64(72 + i * 16, seconds, true);
    view.setBigInt64(80 + i * 16, rest, true);
  });
  view.setBigUint64(120, 0n, true);
}

export function writeStatx(view: DataView, stat: Stat): void {
  for (let i = 0; i < 256; i += 8) view.setBigUint64(i, 0n, true);
  view.setUint32(0, BASIC_STATS, true);
  view.setUint32(4, stat.blockSize, true);
  view.setUint32(16, stat.nlink, true);
  view.setUint32(20, stat.uid, true);
  view.setUint32(24, stat.gid, true);
  view.setUint16(28, stat.mode, true);
  view.setBigUint64(32, stat.ino, true);
  view.setBigUint64(40, stat.size, true);
  view.setBigUint64(48, stat.blocks, true);
  const times: ReadonlyArray<readonly [number, bigint]> = [
    [64, stat.accessNs],
    [96, stat.changeNs],
    [112, stat.modifyNs],
  ];
  for (const [at, ns] of times) {
    const [seconds, rest] = split(ns);
    view.setBigInt64(at, seconds, true);
    view.setUint32(at + 8, Number(rest), true);
  }
  writeDevice(view, 128, stat.rdev);
  writeDevice(view, 136, stat.dev);
}

function writeDevice(view: DataView, at: number, dev: bigint): void {
  view.setUint32(at, Number(majorOf(dev)), true);
  view.setUint32(at + 4, Number(minorOf(dev)), true);
}

export function writeFsStat(view: DataView, fs: FsStat, readOnly: boolean): void {
  const words = [
    fs.type,
    fs.blockSize,
    fs.blocks,
    fs.free,
    fs.available,
    fs.files,
    fs.freeFiles,
    0n,
    BigInt(NAME_MAX),
    fs.blockSize,
    readOnly ? 1n : 0n,
    0n,
    0n,
    0n,
    0n,
  ];
  words.forEach((word, i) => {
    view.setBigUint64(i * 8, word, true);
  });
}
