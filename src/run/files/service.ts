/**
 * run/files/service.ts: what the machine asks of the files behind it, and how.
 *
 * Why        descriptors, the file tree and stdio live on the main thread; guest threads run in workers that may block
 *            but never wait for each other's event loop. So every file call becomes one request and one answer.
 * Request    the worker has copied all it must from guest memory into its CPU's bounce buffer before it asks, and copies
 *            out of it after the answer: the service never touches guest memory.
 *            An argument that is a guest pointer is replaced by the offset in `bounce` of its data (in, out or both);
 *            a null pointer by -1. A path is NUL-terminated UTF-8. Every other argument is passed as the guest gave it,
 *            32-bit ones (descriptors, flags, modes) sign-extended.
 * Answer     zero or more, or a negative errno. What goes out lies at the offset that the argument named.
 * Which      calls.ts lists, for every call, what is copied and how long it is; marshal.ts copies.
 * One at a time per CPU: the next request of a CPU comes after the answer to the last. Many CPUs ask at once.
 * Processes  a request names its process; descriptors, working directory and umask are that process's. The rest is one
 *            for all: the tree, objects, System V segments.
 * Blocking   a request that must wait (a pipe without data) is answered when it is done. cancel(cpu) asks for it to end
 *            early: the service answers -EINTR if nothing was transferred yet, what was transferred if something was, and
 *            exactly once in any case. Requests that cannot block may ignore cancel.
 */

/** Requests that are not guest calls; numbers beyond every system call's. */
export enum HostCall {
  /** (fd, mmap prot, mmap flags, bounce offset) -> the id > 0 of the file's object, or -errno as mm/mmap.c:do_mmap (EBADF,
   *  EACCES, EPERM for a seal, EOPNOTSUPP, ENODEV, EINVAL; ENOMEM when the core has no room for the object). A new object,
   *  or the one that the inode has already; the cache holds a reference for the caller (PageCache.open).
   *  At the bounce offset: {u32 bits of MapBits}. */
  MapObject = 0x10000,
  /** (object): no mapping names it any more, and what was dirty is written. -> 0; -EBUSY when it was mapped again
   *  meanwhile: it stays. */
  ReleaseObject = 0x10002,
  /** (object, byte offset, count): fills request.pages from the file, zeros past its end -> how many of them begin before
   *  the end of the file (0: none); -EIO; -EBADF: released. */
  ReadPages = 0x10003,
  /** (object, byte offset, count): writes request.pages to the file, but never past its end -> count; -EIO, -ENOSPC;
   *  -EBADF: released, or never mapped shared by who may write. */
  WritePages = 0x10004,
  /** (object, byte offset, length): the range reads as zeros from now on, as madvise(MADV_REMOVE) asks -> 0; -EOPNOTSUPP:
   *  a file of the host; -EPERM: sealed; -EBADF. */
  PunchObject = 0x10005,

  /** (pid of the child, clone flags), asked as the parent -> 0. CLONE_FILES shares the descriptors, CLONE_FS the working
   *  directory and umask; else they are copied. -EEXIST: there is such a process. */
  ForkFiles = 0x10010,
  /** (pid) -> 0: closes what that process has open and forgets it. Unknown: -ESRCH. Its requests have been answered or
   *  cancelled before. */
  ExitFiles = 0x10011,
  /** (dirfd, bounce offset of the path, bounce offset of the head, flags of execveat) -> object, with a reference as
   *  MapObject gives; errors as fs/exec.c:do_open_execat. At the head's offset: the first 4096 bytes of the file (fewer at
   *  its end), and 4096 bytes later {u32 bytes of the head, u32 bytes of the path, u64 size, path as UTF-8}. */
  OpenProgram = 0x10012,
  /** (object, bounce offset of argv, its bytes, bounce offset of the name, its bytes), argv a NUL after each -> 0: from
   *  now on the process is that program, called by that name (none: the last one of the file's path): close-on-exec
   *  descriptors are closed, descriptors shared with another process are copied first, /proc/PID/exe, comm and cmdline tell
   *  of it. -EBADF. */
  ExecFiles = 0x10013,

  /** (pidfd, bounce offset) -> the id of the process; at the bounce offset {u32 thread id, 0 the whole process, u32 1 with O_NONBLOCK}.
   *  -EBADF no pidfd; -ESRCH nothing is left of it. */
  ProcessOf = 0x10014,

  /** (id, 1: of a thread) -> a pidfd of who is being made; errors as pidfd_open(2). */
  OpenPidfd = 0x10016,

  /** (kept, count): the CPU's last read gave `count` bytes, at bounce offset 0 still, and only the first `kept` reached the
   *  guest's memory -> how many count as read: of a pipe whole pages only (fs/pipe.c), of an eventfd the rest is lost. */
  GiveBack = 0x10015,

  /** (id, shmflg, bounce offset) -> object, with a reference as MapObject gives; at the bounce offset {u64 size}.
   *  Errors as shmat(2). */
  ShmAt = 0x10020,
  /** (object): a mapping made by ShmAt is undone by shmdt(2) -> bytes of the segment, whole pages; -EINVAL: no segment's. */
  ShmDt = 0x10021,
}

/** What a mapping of a file may become later (VM_MAYWRITE). */
export enum MapBits {
  /** mprotect may make it writable: private, or the descriptor was open for writing and no seal forbids it. */
  MayWrite = 1,
}

/** Answers that are no errno: the worker has to do something itself. */
export enum Special {
  /** Objects have pages that the file has not. At bounce offset 0: {u32 count, u32 ids[count]}. The worker writes their
   *  dirty pages back (WritePages) and asks again with Chunk.WrittenBack set in the flags. */
  NeedWriteback = -0x10000,
  /** /proc/PID/mem: the bytes are in the memory of a guest. At bounce offset HOST_MEM_OFFSET: {u32 pid, u32 -, u64
   *  address}. The worker moves them between there and its bounce buffer (core), the count being the call's. The open
   *  file's own position was moved on by the whole count already. */
  HostMem = -0x10001,
}

/**
 * The core's page cache, as the service sees it: pages of objects that mappings share. Called on the main thread, in the
 * middle of a request, after the file itself has changed. None of it waits. A page that is being read in counts as cached:
 * what write() brings goes into its frame, for the reading may be over already.
 */
export interface PageCache {
  /** Makes the object's record, or finds it, and takes one reference for the caller of the request. `dataEnd`: from there
   *  on the file has only holes, so that pages need not be asked for; write() moves it; Infinity: not known. false: no memory. */
  open(id: number, size: number, dataEnd: number): boolean;
  /** The object was said to have lost its last mapping. true: it has, and the record is gone; false: it was mapped again. */
  forget(id: number): boolean;
  /** The file has another size: pages past it go, the rest of the last one is zero. */
  resize(id: number, size: number): void;
  /** The range reads as zeros now, pages wholly in it are unmapped. */
  punch(id: number, offset: number, length: number): void;
  /** Overwrites `into`, bytes of the file from `offset` on, with what cached pages hold. */
  read(id: number, offset: number, into: Uint8Array): void;
  /** `from` was written to the file at `offset`. */
  write(id: number, offset: number, from: Uint8Array): void;
  /** Shared mappings that may be written through (VM_SHARED with VM_MAYWRITE), in all processes. */
  writableMappings(id: number): number;
  /** Mappings in all processes. */
  mappings(id: number): number;
}

/** A VMA as /proc/PID/maps tells of it. */
export interface VmaFact {
  readonly start: bigint;
  readonly end: bigint;
  /** 1 read, 2 write, 4 execute, 8 shared. */
  readonly flags: number;
  /** 0: none. */
  readonly object: number;
  /** Of shared memory that has no file here: its inode number, on the kernel's own tmpfs. */
  readonly inode?: number;
  readonly offset: bigint;
  /** "[heap]", "[stack]", "[anon:NAME]" …; "" when there is none, or the object's file says it. */
  readonly name: string;
}

/** What a process's memory amounts to, in bytes; what is not known is left out. */
export interface UsageFact {
  readonly peak?: number;
  readonly size: number;
  readonly locked?: number;
  readonly residentPeak?: number;
  readonly resident: number;
  readonly residentAnon?: number;
  readonly residentFile?: number;
  readonly residentShared?: number;
  readonly data: number;
  readonly stack: number;
  readonly code: number;
  readonly tables?: number;
  readonly swapped?: number;
}

/** What became of a process; as the core has it. */
export enum Stage {
  Gone = 0,
  Live = 1,
  /** It has ended, and was not waited for. */
  Zombie = 2,
}

/** What the machine knows of its processes, for /proc and pidfds. Where a question cannot be asked the files about it are absent. */
export interface ProcessFacts {
  maps?(pid: number): readonly VmaFact[];
  usage?(pid: number): UsageFact | undefined;
  /** Thread ids, the process's own first. */
  threads?(pid: number): readonly number[];
  parent?(pid: number): number;
  stage?(pid: number): Stage;
  /** A letter of proc(5): R, S, D, Z, T. */
  state?(pid: number): string;
  /** What prctl(PR_SET_NAME) called the thread; undefined: nothing. */
  name?(tid: number): string | undefined;
}

/** What the machine lends the service once it has booted the core. */
export interface MachineSide {
  readonly cache?: PageCache;
  readonly facts?: ProcessFacts;
}

export interface FileRequest {
  /** Index of the CPU that asks. */
  readonly cpu: number;
  /** Thread id of the guest thread that asks. */
  readonly tid: number;
  /** riscv64 system call number, or a HostCall. */
  readonly nr: number;
  /** Six arguments, pointers replaced as told above. */
  readonly args: readonly bigint[];
  /** Process that asks; undefined: the first one. */
  readonly pid?: number;
  /** Bits of marshal.ts's Chunk. */
  readonly flags: number;
  /** The CPU's bounce buffer, BOUNCE_BYTES long, over shared memory. TextDecoder and fs calls may refuse shared memory:
   *  copy out of it first. */
  readonly bounce: Uint8Array;
  /** ReadPages and WritePages: the frames, 4096 bytes each, over shared memory. */
  readonly pages?: readonly Uint8Array[];
}

/** The process a machine begins with. */
export const FIRST_PID = 100;

/** Bytes of the bounce buffer that carry a call's data; the page after them holds the addresses of the frames that a page-in
 *  or a write-back is about, or Special.HostMem's record. */
export const BOUNCE_DATA_BYTES = 61440;
export const BOUNCE_BYTES = 65536;
/** Where Special.HostMem says what it is about: behind the call's own bytes, which a write needs still. */
export const HOST_MEM_OFFSET = BOUNCE_DATA_BYTES;

/** The program to run, found and opened. */
export interface Program {
  /** Object id for mmap of its segments, with a reference as MapObject gives. */
  readonly object: number;
  readonly size: number;
  /** Absolute path in the guest's tree (AT_EXECFN, /proc/self/exe). */
  readonly path: string;
  /** The first bytes of the file: at most `length`, fewer at its end. */
  readHead(length: number): Promise<Uint8Array>;
}

/** A program that cannot be opened; `message` is the rest of the line after "faultline: ". */
export class ProgramError extends Error {}

export interface FileService {
  /** Called once, before the first request. Without a cache it is as if no object were ever open. */
  connect(machine: MachineSide): void;
  /** Finds and opens PROGRAM as the command line named it. Throws ProgramError. */
  openProgram(name: string): Promise<Program>;
  handle(request: FileRequest): Promise<number> | number;
  cancel(cpu: number): void;
  /** A thread of whichever process has ended, what ended with it, too; or a process was waited for. */
  threadEnded(): void;
  /** Writes out what is buffered for stdout and stderr; nothing is asked after it. */
  close(): Promise<void>;
}
