/** File calls as tests write them, and what came of them as text: `openat AT a/b RDWR|CREAT 0o644` gives `3` or `ENOENT`.
 *  The same list runs on the file service (files-guest.ts) and on this machine's kernel (files-kernel.ts). */
import { constants } from "node:os";
import { Errno } from "../../src/core/abi/errno";
import { At, Mode, Open } from "../../src/run/files/linux";

/** A buffer to fill. */
export interface Out {
  readonly out: number;
}
export type Arg = number | bigint | string | Out | null;
export type Call = readonly [name: CallName, ...args: Arg[]];

export interface Answer {
  /** Negative: an errno of the machine that answered. */
  readonly result: number;
  readonly outs: readonly Uint8Array[];
}

export const out = (bytes: number): Out => ({ out: bytes });
export const AT = At.FdCwd;
export const [RD, WR, RDWR] = [Open.ReadOnly, Open.WriteOnly, Open.ReadWrite];
export const [CREAT, EXCL, TRUNC, APPEND] = [Open.Create, Open.Exclusive, Open.Truncate, Open.Append];
export const [DIRECTORY, NOFOLLOW, PATH, CLOEXEC, NONBLOCK] = [
  Open.Directory,
  Open.NoFollow,
  Open.Path,
  Open.CloseOnExec,
  Open.NonBlock,
];
export const [NOFOLLOW_AT, EMPTY, REMOVEDIR, FOLLOW_AT] = [
  At.SymlinkNoFollow,
  At.EmptyPath,
  At.RemoveDir,
  At.SymlinkFollow,
];

/** Name: riscv64's number, x86-64's, and which argument holds a struct stat. */
const NUMBERS = {
  getcwd: [17, 79],
  eventfd2: [19, 290],
  dup: [23, 32],
  dup3: [24, 292],
  fcntl: [25, 72],
  ioctl: [29, 16],
  flock: [32, 73],
  mkdirat: [34, 258],
  unlinkat: [35, 263],
  symlinkat: [36, 266],
  linkat: [37, 265],
  statfs: [43, 137],
  truncate: [45, 76],
  ftruncate: [46, 77],
  fallocate: [47, 285],
  faccessat: [48, 269],
  chdir: [49, 80],
  fchdir: [50, 81],
  fchmod: [52, 91],
  fchmodat: [53, 268],
  fchownat: [54, 260],
  openat: [56, 257],
  close: [57, 3],
  pipe2: [59, 293],
  getdents64: [61, 217],
  lseek: [62, 8],
  read: [63, 0],
  write: [64, 1],
  readv: [65, 19],
  writev: [66, 20],
  pread64: [67, 17],
  pwrite64: [68, 18],
  preadv: [69, 295],
  pwritev: [70, 296],
  sendfile: [71, 40],
  pselect6: [72, 270],
  ppoll: [73, 271],
  readlinkat: [78, 267],
  newfstatat: [79, 262],
  fstat: [80, 5],
  sync: [81, 162],
  fsync: [82, 74],
  fdatasync: [83, 75],
  sync_file_range: [84, 277],
  utimensat: [88, 280],
  umask: [166, 95],
  shmget: [194, 29],
  shmctl: [195, 31],
  syncfs: [267, 306],
  renameat2: [276, 316],
  memfd_create: [279, 319],
  copy_file_range: [285, 326],
  preadv2: [286, 327],
  pwritev2: [287, 328],
  statx: [291, 332],
  close_range: [436, 436],
  faccessat2: [439, 439],
} as const;

export type CallName = keyof typeof NUMBERS;
export const guestNumber = (name: CallName): number => NUMBERS[name][0];
export const x64Number = (name: CallName): number => NUMBERS[name][1];

const TYPES: Readonly<Record<number, string>> = {
  [Mode.Regular]: "file",
  [Mode.Directory]: "dir",
  [Mode.Link]: "link",
  [Mode.Fifo]: "fifo",
  [Mode.CharDevice]: "char",
};

export interface Dialect {
  /** Offsets in struct stat, and the width of its link count. */
  readonly mode: number;
  readonly nlink: (view: DataView) => number;
  /** Absolute path of the directory the calls started in. */
  readonly home: string;
  readonly errno: (value: number) => string;
}

export const guestDialect = (home: string): Dialect => ({
  mode: 16,
  nlink: (view) => view.getUint32(20, true),
  home,
  errno: (value) => Errno[value] ?? `errno ${value}`,
});

export const kernelDialect = (home: string): Dialect => ({
  mode: 24,
  nlink: (view) => Number(view.getBigUint64(16, true)),
  home,
  errno: (value) => {
    const names = Object.entries(constants.errno).flatMap(([name, number]) => (number === value ? [name] : []));
    // Two names of one number (ENOTSUP): the one that the guest's answers use.
    return names.find((name) => name in Errno) ?? names[0] ?? `errno ${value}`;
  },
});

const abridged = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 40)}…` : text);
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** What a call answered, without what no two machines share (inode numbers, times, a directory's size and link count). */
export function show([name]: Call, { result, outs }: Answer, dialect: Dialect): string {
  if (result < 0) return dialect.errno(-result);
  const bytes = outs[0] ?? new Uint8Array();
  switch (name) {
    case "read":
    case "pread64":
    case "readlinkat":
      return `${result} ${abridged(latin1(bytes.subarray(0, result)))}`;
    case "getcwd": {
      const path = latin1(bytes.subarray(0, result - 1));
      return path === dialect.home ? "." : path.replace(`${dialect.home}/`, "./");
    }
    case "newfstatat":
    case "fstat":
      return showStat(bytes, dialect);
    case "pipe2":
      return `${bytes[0]} ${bytes[4]}`;
    case "ioctl":
      return bytes.length >= 4 ? `${result} ${new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true)}` : "0";
    case "getdents64":
      return result === 0 ? "end" : showEntries(bytes.subarray(0, result));
    case "statfs":
      return "ok";
  }
  return String(result);
}

function showStat(bytes: Uint8Array, { mode: at, nlink }: Dialect): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const mode = view.getUint32(at, true);
  const type = TYPES[mode & Mode.TypeMask] ?? "?";
  const rest = type === "dir" ? "" : ` ${nlink(view)} ${view.getBigInt64(48, true)}`;
  return `${type} ${(mode & Mode.Permissions).toString(8)}${rest}`;
}

function showEntries(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const names: string[] = [];
  for (let at = 0; at < bytes.length; at += view.getUint16(at + 16, true)) {
    const end = bytes.indexOf(0, at + 19);
    names.push(`${latin1(bytes.subarray(at + 19, end))}:${TYPES[view.getUint8(at + 18) << 12] ?? "?"}`);
  }
  return names.sort().join(" ");
}
