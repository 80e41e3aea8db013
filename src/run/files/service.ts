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
 * Blocking   a request that must wait (a pipe without data) is answered when it is done. cancel(cpu) asks for it to end
 *            early: the service answers -EINTR if nothing was transferred yet, what was transferred if something was, and
 *            exactly once in any case. Requests that cannot block may ignore cancel.
 */

/** Requests that are not guest calls; numbers beyond every system call's. */
export enum HostCall {
  /** (fd, mmap prot, mmap flags) -> a new object id > 0 that stays readable after the fd is closed, or -errno
   *  (EBADF, EACCES when not open for reading, ENODEV when it cannot be mapped). */
  MapObject = 0x10000,
  /** (object, byte offset, bounce offset): 4096 bytes, zero-filled past the end of the file, at the bounce offset.
   *  -> 1; 0 when the page lies wholly past the end; -EIO. */
  ReadPage = 0x10001,
  /** (object): no mapping names it any more. -> 0. */
  ReleaseObject = 0x10002,
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
  /** Bits of marshal.ts's Chunk. */
  readonly flags: number;
  /** The CPU's bounce buffer, BOUNCE_DATA_BYTES long, over shared memory. TextDecoder and fs calls may refuse shared
   *  memory: copy out of it first. */
  readonly bounce: Uint8Array;
}

/** Bytes of the bounce buffer that carry data; the page after them is kept for file pages being faulted in. */
export const BOUNCE_DATA_BYTES = 61440;
export const BOUNCE_BYTES = 65536;

/** The program to run, found and opened. */
export interface Program {
  /** Object id for mmap of its segments, as MapObject gives. */
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
  /** Finds and opens PROGRAM as the command line named it. Throws ProgramError. */
  openProgram(name: string): Promise<Program>;
  handle(request: FileRequest): Promise<number> | number;
  cancel(cpu: number): void;
  /** Writes out what is buffered for stdout and stderr; nothing is asked after it. */
  close(): Promise<void>;
}
