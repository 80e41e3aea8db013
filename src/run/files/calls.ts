/** files/calls.ts: every file call the machine serves, and how its arguments travel.
 *
 *  What     One line a call: its riscv64 number (asm-generic unistd.h), its name and the shape of its arguments.
 *  Why      The worker's marshaller (marshal.ts) and the main thread's service (service.ts) read the same table, so
 *           neither knows the other and no call copies user memory by hand.
 *
 *  Notation of a shape, one token an argument:
 *      v     a value, passed on as it is
 *      p     a path: NUL-terminated, at most 4096 bytes with its NUL, copied in
 *      iN    a record of N bytes, copied in            oN  a record of N bytes, copied out when the call succeeds
 *      xN    a record of N bytes, copied in and out    b   a buffer to fill: the next argument is its size, the
 *                                                          result the number of bytes to copy out
 *      sN    a string, NUL-terminated, copied in: at most N bytes with its NUL, of a longer one the first N
      n     as b, its size an int: a negative one is left as it is
 *      ?     behind the letter: the pointer may be NULL; the service then sees -1
 *  In the request a pointer is replaced by the offset of its bytes in the bounce buffer.
 */

export enum Nr {
  SetXattr = 5,
  RemoveXattrLast = 16,
  GetCwd = 17,
  EventFd2 = 19,
  Dup = 23,
  Dup3 = 24,
  Fcntl = 25,
  Ioctl = 29,
  Flock = 32,
  MkdirAt = 34,
  UnlinkAt = 35,
  SymlinkAt = 36,
  LinkAt = 37,
  StatFs = 43,
  FStatFs = 44,
  Truncate = 45,
  FTruncate = 46,
  Fallocate = 47,
  FAccessAt = 48,
  ChDir = 49,
  FChDir = 50,
  FChMod = 52,
  FChModAt = 53,
  FChOwnAt = 54,
  FChOwn = 55,
  OpenAt = 56,
  Close = 57,
  Pipe2 = 59,
  GetDents64 = 61,
  LSeek = 62,
  Read = 63,
  Write = 64,
  ReadV = 65,
  WriteV = 66,
  PRead64 = 67,
  PWrite64 = 68,
  PReadV = 69,
  PWriteV = 70,
  SendFile = 71,
  PSelect6 = 72,
  PPoll = 73,
  ReadLinkAt = 78,
  NewFStatAt = 79,
  FStat = 80,
  Sync = 81,
  FSync = 82,
  FDataSync = 83,
  SyncFileRange = 84,
  UTimensAt = 88,
  Umask = 166,
  ShmGet = 194,
  ShmCtl = 195,
  ReadAhead = 213,
  FAdvise64 = 223,
  SyncFs = 267,
  RenameAt2 = 276,
  MemfdCreate = 279,
  CopyFileRange = 285,
  PReadV2 = 286,
  PWriteV2 = 287,
  Statx = 291,
  PidfdOpen = 434,
  CloseRange = 436,
  FAccessAt2 = 439,
  FChModAt2 = 452,
}

/** A call whose arguments are records, paths and values. */
const SHAPES: ReadonlyArray<readonly [Nr, string, string]> = [
  [Nr.GetCwd, "getcwd", "b v"],
  [Nr.EventFd2, "eventfd2", "v v"],
  [Nr.Dup, "dup", "v"],
  [Nr.Dup3, "dup3", "v v v"],
  [Nr.Flock, "flock", "v v"],
  [Nr.MkdirAt, "mkdirat", "v p v"],
  [Nr.UnlinkAt, "unlinkat", "v p v"],
  [Nr.SymlinkAt, "symlinkat", "p v p"],
  [Nr.LinkAt, "linkat", "v p v p v"],
  [Nr.StatFs, "statfs", "p o120"],
  [Nr.FStatFs, "fstatfs", "v o120"],
  [Nr.Truncate, "truncate", "p v"],
  [Nr.FTruncate, "ftruncate", "v v"],
  [Nr.Fallocate, "fallocate", "v v v v"],
  [Nr.FAccessAt, "faccessat", "v p v"],
  [Nr.ChDir, "chdir", "p"],
  [Nr.FChDir, "fchdir", "v"],
  [Nr.FChMod, "fchmod", "v v"],
  [Nr.FChModAt, "fchmodat", "v p v"],
  [Nr.FChOwnAt, "fchownat", "v p v v v"],
  [Nr.FChOwn, "fchown", "v v v"],
  [Nr.OpenAt, "openat", "v p v v"],
  [Nr.Close, "close", "v"],
  [Nr.Pipe2, "pipe2", "o8 v"],
  [Nr.GetDents64, "getdents64", "v b v"],
  [Nr.LSeek, "lseek", "v v v"],
  [Nr.ReadLinkAt, "readlinkat", "v p n v"],
  [Nr.NewFStatAt, "newfstatat", "v p o128 v"],
  [Nr.FStat, "fstat", "v o128"],
  [Nr.Sync, "sync", ""],
  [Nr.FSync, "fsync", "v"],
  [Nr.FDataSync, "fdatasync", "v"],
  [Nr.SyncFileRange, "sync_file_range", "v v v v"],
  [Nr.UTimensAt, "utimensat", "v p? i?32 v"],
  [Nr.Umask, "umask", "v"],
  [Nr.ReadAhead, "readahead", "v v v"],
  [Nr.ShmGet, "shmget", "v v v"],
  [Nr.FAdvise64, "fadvise64", "v v v v"],
  [Nr.SyncFs, "syncfs", "v"],
  [Nr.RenameAt2, "renameat2", "v p v p v"],
  [Nr.MemfdCreate, "memfd_create", "s250 v"],
  [Nr.SendFile, "sendfile", "v v x?8 v"],
  [Nr.CopyFileRange, "copy_file_range", "v x?8 v x?8 v v"],
  [Nr.Statx, "statx", "v p v v o256"],
  [Nr.PidfdOpen, "pidfd_open", "v v"],
  [Nr.CloseRange, "close_range", "v v v"],
  [Nr.FAccessAt2, "faccessat2", "v p v v"],
  [Nr.FChModAt2, "fchmodat2", "v p v v"],
];

/** A call that moves any number of bytes, in pieces of at most CALL_BYTES. */
export interface StreamCall {
  readonly name: string;
  /** What the service is asked for each piece. */
  readonly as: Nr;
  readonly write: boolean;
  readonly vector: boolean;
  readonly positioned: boolean;
  /** preadv2 and pwritev2: a flags argument, and position -1 meaning the file's own. */
  readonly flagged: boolean;
}

const stream = (name: string, write: boolean, vector: boolean, positioned: boolean, flagged = false): StreamCall => ({
  name,
  as: write ? (positioned ? Nr.PWrite64 : Nr.Write) : positioned ? Nr.PRead64 : Nr.Read,
  write,
  vector,
  positioned,
  flagged,
});

export const STREAMS: ReadonlyMap<number, StreamCall> = new Map([
  [Nr.Read, stream("read", false, false, false)],
  [Nr.Write, stream("write", true, false, false)],
  [Nr.ReadV, stream("readv", false, true, false)],
  [Nr.WriteV, stream("writev", true, true, false)],
  [Nr.PRead64, stream("pread64", false, false, true)],
  [Nr.PWrite64, stream("pwrite64", true, false, true)],
  [Nr.PReadV, stream("preadv", false, true, true)],
  [Nr.PWriteV, stream("pwritev", true, true, true)],
  [Nr.PReadV2, stream("preadv2", false, true, true, true)],
  [Nr.PWriteV2, stream("pwritev2", true, true, true, true)],
]);

export interface Arg {
  readonly kind: "v" | "p" | "s" | "i" | "o" | "x" | "b" | "n";
  readonly nullable: boolean;
  readonly bytes: number;
}

const V: Arg = { kind: "v", nullable: false, bytes: 0 };
const record = (kind: "i" | "o" | "x", bytes: number, nullable = false): Arg => ({ kind, bytes, nullable });

function parseShape(text: string): readonly Arg[] {
  return text
    .split(" ")
    .filter(Boolean)
    .map((token) => {
      const match = /^([vpsioxbn])(\??)(\d*)$/.exec(token);
      if (!match) throw new Error(`parseShape: bad token ${token}`);
      return { kind: match[1] as Arg["kind"], nullable: match[2] === "?", bytes: Number(match[3] || 0) };
    });
}

const FIXED = new Map<number, readonly Arg[]>(SHAPES.map(([nr, , shape]) => [nr, parseShape(shape)]));
const NO_ARGS: readonly Arg[] = [];

/** ioctl requests with a record behind the third argument; any other passes a value. */
const IOCTL_RECORDS: ReadonlyMap<number, Arg> = new Map([
  [0x5401, record("o", 36)], // TCGETS
  [0x5402, record("i", 36)], // TCSETS
  [0x5403, record("i", 36)], // TCSETSW
  [0x5404, record("i", 36)], // TCSETSF
  [0x802c542a, record("o", 44)], // TCGETS2
  [0x540f, record("o", 4)], // TIOCGPGRP
  [0x5413, record("o", 8)], // TIOCGWINSZ
  [0x541b, record("o", 4)], // FIONREAD
  [0x5421, record("i", 4)], // FIONBIO
]);

/** fcntl commands with a struct flock: 5 F_GETLK, 6 F_SETLK, 7 F_SETLKW and the open-file-description ones. */
const FCNTL_LOCKS: ReadonlySet<number> = new Set([5, 6, 7, 36, 37, 38]);

/** shmctl commands with a record: struct shmid64_ds, shminfo64 or shm_info. */
const SHMCTL_RECORDS: ReadonlyMap<number, Arg> = new Map([
  [1, record("i", 112)], // IPC_SET
  [2, record("o", 112)], // IPC_STAT
  [3, record("o", 72)], // IPC_INFO
  [13, record("o", 112)], // SHM_STAT
  [14, record("o", 48)], // SHM_INFO
  [15, record("o", 112)], // SHM_STAT_ANY
]);

/** Descriptors one ppoll or pselect6 may name; more than there can be open. */
export const POLL_MAX = 1024;

/** The shape of a call's arguments, or undefined when it is no file call (or one of STREAMS). */
export function shapeOf(nr: number, args: readonly bigint[]): readonly Arg[] | undefined {
  const fixed = FIXED.get(nr);
  if (fixed) return fixed;
  switch (nr) {
    case Nr.Ioctl:
      return [V, V, IOCTL_RECORDS.get(Number(BigInt.asUintN(32, args[1] ?? 0n))) ?? V];
    case Nr.Fcntl:
      return [V, V, FCNTL_LOCKS.has(Number(BigInt.asIntN(32, args[1] ?? 0n))) ? record("x", 32) : V];
    case Nr.ShmCtl:
      return [V, V, SHMCTL_RECORDS.get(Number(BigInt.asIntN(32, args[1] ?? 0n))) ?? V];
    case Nr.PPoll: {
      const count = Number(BigInt.asUintN(32, args[1] ?? 0n));
      return count > POLL_MAX ? [V, V] : [count ? record("x", count * 8) : V, V, record("i", 16, true), V, V];
    }
    case Nr.PSelect6: {
      const count = Math.min(Number(BigInt.asIntN(32, args[0] ?? 0n)), POLL_MAX);
      const set = count > 0 ? record("x", Math.ceil(count / 64) * 8, true) : V;
      return [V, set, set, set, record("i", 16, true), V];
    }
  }
  return nr >= Nr.SetXattr && nr <= Nr.RemoveXattrLast ? NO_ARGS : undefined;
}

/** After EINTR, SA_RESTART starts these again; poll and select never (signal(7)). */
export const restarts = (nr: number): boolean => nr !== Nr.PPoll && nr !== Nr.PSelect6;
