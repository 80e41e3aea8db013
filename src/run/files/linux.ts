/** files/linux.ts: the numbers of Linux's file interface as riscv64 has them (asm-generic fcntl.h, stat.h, poll.h). */

export enum Open {
  AccessMask = 0o3,
  ReadOnly = 0,
  WriteOnly = 1,
  ReadWrite = 2,
  Create = 0o100,
  Exclusive = 0o200,
  Truncate = 0o1000,
  Append = 0o2000,
  NonBlock = 0o4000,
  DataSync = 0o10000,
  Direct = 0o40000,
  LargeFile = 0o100000,
  Directory = 0o200000,
  NoFollow = 0o400000,
  NoAccessTime = 0o1000000,
  CloseOnExec = 0o2000000,
  Sync = 0o4010000,
  Path = 0o10000000,
  TempFileBit = 0o20000000,
}

export enum Mode {
  TypeMask = 0o170000,
  Fifo = 0o010000,
  CharDevice = 0o020000,
  Directory = 0o040000,
  BlockDevice = 0o060000,
  Regular = 0o100000,
  Link = 0o120000,
  Socket = 0o140000,
  Permissions = 0o7777,
}

export enum At {
  FdCwd = -100,
  SymlinkNoFollow = 0x100,
  /** unlinkat: remove a directory; faccessat2 reads the same bit as AT_EACCESS. */
  RemoveDir = 0x200,
  SymlinkFollow = 0x400,
  NoAutomount = 0x800,
  EmptyPath = 0x1000,
  StatSyncMask = 0x6000,
}

export enum Access {
  Exec = 1,
  Write = 2,
  Read = 4,
}

/** F_SEAL_*: what fcntl(F_ADD_SEALS) forbids. */
export enum Seal {
  Seal = 1,
  Shrink = 2,
  Grow = 4,
  Write = 8,
  FutureWrite = 16,
  Exec = 32,
  All = 63,
}

export enum Rename {
  NoReplace = 1,
  Exchange = 2,
  Whiteout = 4,
}

export enum Fcntl {
  DupFd = 0,
  GetFd = 1,
  SetFd = 2,
  GetFl = 3,
  SetFl = 4,
  GetLock = 5,
  SetLock = 6,
  SetLockWait = 7,
  SetOwner = 8,
  GetOwner = 9,
  OfdGetLock = 36,
  OfdSetLock = 37,
  OfdSetLockWait = 38,
  SetPipeSize = 1031,
  GetPipeSize = 1032,
  AddSeals = 1033,
  GetSeals = 1034,
  DupFdCloseOnExec = 1030,
}

export enum Ioctl {
  TcGets = 0x5401,
  TcSets = 0x5402,
  TcSetsWait = 0x5403,
  TcSetsFlush = 0x5404,
  /** tcdrain and tcsendbreak, tcflow, tcflush. */
  TcBreak = 0x5409,
  TcFlow = 0x540a,
  TcFlush = 0x540b,
  GetProcessGroup = 0x540f,
  GetWindowSize = 0x5413,
  BytesAvailable = 0x541b,
  NonBlock = 0x5421,
  NotCloseOnExec = 0x5450,
  CloseOnExec = 0x5451,
}

export enum Poll {
  In = 1,
  Priority = 2,
  Out = 4,
  Error = 8,
  HangUp = 16,
  Invalid = 32,
  ReadNormal = 0x40,
  WriteNormal = 0x100,
}

export enum Seek {
  Set = 0,
  Current = 1,
  End = 2,
  Data = 3,
  Hole = 4,
}

export const NAME_MAX = 255;
export const PIPE_BUF = 4096;

/** Linux's 64-bit dev_t: major in bits 8-19 and 32-63, minor in 0-7 and 20-31. */
export const makedev = (major: number, minor: number): bigint =>
  BigInt((major << 8) | (minor & 0xff)) | (BigInt(minor & 0xfff00) << 12n);
export const majorOf = (dev: bigint): bigint => ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
export const minorOf = (dev: bigint): bigint => (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
