/** files/marshal.ts: carries a guest's file call from its worker to the file service and back.
 *
 *  Runs in   the worker of the guest thread that made the call.
 *  Promise   the service sees only bytes of the bounce buffer, never guest memory; the guest sees one call, however
 *            many pieces it took: the result is the total, or the error when nothing was moved.
 *
 *            guest memory                     bounce buffer (64 KiB)                 main thread
 *               args  --- copyIn --->  [ calls: CALL_BYTES | lists: 4 KiB   ]  --- request --->  FileService.handle
 *               args  <-- copyOut ---  [ ...                                ]  <-- result ----
 *
 *  The last page of the bounce buffer (PAGE_IN_OFFSET) is kept from calls: copyIn and copyOut may fault on a file mapping,
 *  and what serves the fault must not overwrite the call's bytes. There lie the addresses of the frames that a page-in or a
 *  write-back is about (the file's bytes go straight to and from the frames), or Special.HostMem's record.
 *
 *  Pieces    A read or write of more than CALL_BYTES is asked for in pieces. Chunk.More says another follows: when this
 *            one moved whole, the service keeps other threads off that open file until a piece comes without More.
 *            Chunk.Continues says bytes have moved already, so the service does not wait for more input.
 *  Order of checks as Linux: paths are copied before the descriptor is looked at (getname); buffers and iovecs after.
 *  Follows   read(2), readv(2), fs/read_write.c:vfs_readv, lib/iov_iter.c:import_iovec
 */
import { Errno } from "../../core/abi/errno.js";
import { type Arg, Nr, STREAMS, type StreamCall, shapeOf } from "./calls.js";
import { BOUNCE_DATA_BYTES, HOST_MEM_OFFSET, HostCall, Special } from "./service.js";

/** Bytes of the bounce buffer a call may use; what follows is for lists of frames, and for Special.HostMem. */
export const CALL_BYTES = BOUNCE_DATA_BYTES;
export const PAGE_IN_OFFSET = CALL_BYTES;
export const PATH_MAX = 4096;

/** Bits of a request's flags. */
export enum Chunk {
  None = 0,
  More = 1,
  Continues = 2,
  /** Asked again after Special.NeedWriteback: the objects' dirty pages have been written. */
  WrittenBack = 4,
}

const PAGE = 4096;
const MAX_RW_COUNT = 0x7ffff000;
const IOV_MAX = 1024;

/** What the marshaller needs of the worker. copyIn and copyOut answer 0 or a negative errno and serve page-ins
 *  themselves; request sends, sleeps until the reply and returns the result (a negative errno, EINTR when cancelled). */
export interface FilePort {
  /** A view of this CPU's bounce buffer, at least CALL_BYTES long. */
  readonly bytes: Uint8Array;
  copyIn(address: bigint, offset: number, length: number): number;
  copyOut(address: bigint, offset: number, length: number): number;
  request(nr: number, args: readonly bigint[], flags: number): number;
  /** Writes the objects' dirty pages to their files; 0 or a negative errno (EIO, ENOSPC). */
  writeBackObjects(objects: readonly number[]): number;
  /** Moves bytes between the memory of a process at `address` and this bounce buffer at 0, `write`: to it. How many
   *  before the first bad address; -EIO when none; 0 when the process has ended. */
  moveMemory(pid: number, address: bigint, length: number, write: boolean): number;
}

/** Serves one call; undefined when nr is no file call. */
export function fileCall(port: FilePort, nr: number, args: readonly bigint[]): number | undefined {
  const stream = STREAMS.get(nr);
  if (stream) return streamCall(port, stream, args);
  const shape = shapeOf(nr, args);
  return shape && recordCall(port, nr, shape, args);
}

/** Special.NeedWriteback's list: {u32 count, u32 ids[count]}. */
function listedObjects({ bytes }: FilePort): number[] {
  const count = new Uint32Array(bytes.buffer, bytes.byteOffset, 1)[0] as number;
  return [...new Uint32Array(bytes.buffer, bytes.byteOffset + 4, count)];
}

interface Out {
  readonly address: bigint;
  readonly offset: number;
  /** -1: as many bytes as the result says. */
  readonly length: number;
}

function recordCall(port: FilePort, nr: number, shape: readonly Arg[], args: readonly bigint[]): number {
  const sent = [0n, 0n, 0n, 0n, 0n, 0n];
  const outs: Out[] = [];
  let used = 0;
  for (let i = 0; i < shape.length; i++) {
    const arg = shape[i] as Arg;
    const value = args[i] as bigint;
    if (arg.kind === "v") {
      // A buffer's size was put in, clamped, by the buffer before it.
      if (!isBuffer(shape[i - 1])) sent[i] = value;
      continue;
    }
    if (arg.nullable && value === 0n) {
      sent[i] = -1n;
      continue;
    }
    sent[i] = BigInt(used);
    if (arg.kind === "p" || arg.kind === "s") {
      const length = copyString(port, value, used, arg.kind === "s" ? arg.bytes : PATH_MAX);
      if (length < 0) return length;
      if (length === PATH_MAX && port.bytes[used + PATH_MAX - 1] !== 0) return -Errno.ENAMETOOLONG;
      used += length;
    } else if (isBuffer(arg)) {
      const given = args[i + 1] as bigint;
      const size = arg.kind === "n" ? BigInt.asIntN(32, given) : BigInt.asUintN(64, given);
      const room = BigInt(CALL_BYTES - used);
      sent[i + 1] = size > room ? room : size;
      outs.push({ address: value, offset: used, length: -1 });
      used = CALL_BYTES;
    } else {
      if (arg.kind !== "o") {
        const error = port.copyIn(value, used, arg.bytes);
        if (error < 0) return error;
      }
      if (arg.kind !== "i") outs.push({ address: value, offset: used, length: arg.bytes });
      used += arg.bytes;
    }
    used = (used + 7) & ~7;
  }
  let result = port.request(nr, sent, Chunk.None);
  if (result === Special.NeedWriteback) {
    const error = port.writeBackObjects(listedObjects(port));
    if (error < 0) return error;
    result = port.request(nr, sent, Chunk.WrittenBack);
  }
  if (result < 0) return result;
  for (const out of outs) {
    const error = port.copyOut(out.address, out.offset, out.length < 0 ? result : out.length);
    if (error < 0) return error;
  }
  return result;
}

const isBuffer = (arg: Arg | undefined): boolean => arg?.kind === "b" || arg?.kind === "n";

/** Copies a string with its NUL to offset, `limit` bytes at most; how many, or an errno. Never reads past the NUL's page. */
function copyString(port: FilePort, address: bigint, offset: number, limit: number): number {
  let length = 0;
  while (length < limit) {
    const at = address + BigInt(length);
    const take = Math.min(PAGE - Number(at & 0xfffn), limit - length);
    const error = port.copyIn(at, offset + length, take);
    if (error < 0) return error;
    const end = port.bytes.subarray(offset + length, offset + length + take).indexOf(0);
    if (end >= 0) return length + end + 1;
    length += take;
  }
  // What lies there from before must not be taken for the rest.
  if (offset + limit < port.bytes.length) port.bytes[offset + limit] = 0;
  return limit;
}

interface Segment {
  readonly address: bigint;
  readonly length: number;
}

/** The guest's buffers as one run of bytes, with a cursor. */
class Segments {
  private index = 0;
  private within = 0;

  constructor(
    private readonly list: readonly Segment[],
    readonly total: number,
  ) {}

  /** Moves up to length bytes from or to the bounce buffer at 0; how many before the first bad address. */
  move(copy: (address: bigint, offset: number, length: number) => number, length: number): number {
    let moved = 0;
    while (moved < length) {
      const segment = this.list[this.index];
      if (!segment) break;
      const run = Math.min(segment.length - this.within, length - moved);
      if (run === 0) {
        this.index++;
        this.within = 0;
        continue;
      }
      const good = copyRun(copy, segment.address + BigInt(this.within), moved, run);
      moved += good;
      this.within += good;
      if (good < run) break;
    }
    return moved;
  }
}

/** One copy when all of it is mapped, else page by page up to the first bad one. */
function copyRun(
  copy: (a: bigint, o: number, n: number) => number,
  at: bigint,
  offset: number,
  length: number,
): number {
  if (copy(at, offset, length) === 0) return length;
  let good = 0;
  while (good < length) {
    const address = at + BigInt(good);
    const take = Math.min(PAGE - Number(address & 0xfffn), length - good);
    if (copy(address, offset + good, take) < 0) break;
    good += take;
  }
  return good;
}

function streamCall(port: FilePort, call: StreamCall, args: readonly bigint[]): number {
  const fd = args[0] as bigint;
  let as = call.as;
  let position = call.positioned ? BigInt.asIntN(64, args[3] as bigint) : 0n;
  if (call.flagged) {
    if (args[5] !== 0n) return -Errno.EOPNOTSUPP;
    if (position === -1n) {
      as = call.write ? Nr.Write : Nr.Read;
      position = 0n;
    }
  }
  const ask = (count: number, done: number, flags: number): number => {
    const result = port.request(as, [fd, 0n, BigInt(count), position + BigInt(done), 0n, 0n], flags);
    return result === Special.HostMem ? hostMemory(port, as, fd, count) : result;
  };

  const segments = call.vector
    ? readVector(port, args[1] as bigint, BigInt.asUintN(64, args[2] as bigint))
    : oneSegment(args[1] as bigint, BigInt.asUintN(64, args[2] as bigint));
  // A bad descriptor is reported before a bad buffer.
  if (typeof segments === "number") return Math.min(ask(0, 0, Chunk.None), 0) || segments;

  let done = 0;
  do {
    const want = Math.min(segments.total - done, CALL_BYTES);
    let count = want;
    const flags = done > 0 ? Chunk.Continues : Chunk.None;
    if (call.write) {
      count = segments.move((a, o, n) => port.copyIn(a, o, n), want);
      if (count === 0 && want > 0) {
        const end = ask(0, done, flags);
        return done || Math.min(end, 0) || -Errno.EFAULT;
      }
    }
    const more = count === want && done + count < segments.total;
    const result = ask(count, done, more ? flags | Chunk.More : flags);
    if (result < 0) return done || result;
    if (!call.write) {
      const put = segments.move((a, o, n) => port.copyOut(a, o, n), result);
      if (put < result) {
        // What the guest did not get was not read.
        const kept = as === Nr.Read ? giveBack(port, put, result) : put;
        if (more && result === count) ask(0, done, Chunk.Continues);
        return done + kept || -Errno.EFAULT;
      }
    }
    done += result;
    if (result < want) break;
  } while (done < segments.total);
  return done;
}

/** How many of the bytes read count, when only `put` were received. */
function giveBack(port: FilePort, put: number, read: number): number {
  return port.request(HostCall.GiveBack, [BigInt(put), BigInt(read), 0n, 0n, 0n, 0n], Chunk.None);
}

/** Serves a piece of /proc/PID/mem. The open file's own position was moved by all of it, and goes back by the rest. */
function hostMemory(port: FilePort, as: Nr, fd: bigint, count: number): number {
  const { buffer, byteOffset } = port.bytes;
  const view = new DataView(buffer, byteOffset + HOST_MEM_OFFSET, 16);
  const writes = as === Nr.Write || as === Nr.PWrite64;
  const moved = port.moveMemory(view.getUint32(0, true), view.getBigUint64(8, true), count, writes);
  const rest = BigInt(count - Math.max(moved, 0));
  if (rest > 0n && (as === Nr.Read || as === Nr.Write)) port.request(Nr.LSeek, [fd, -rest, 1n, 0n, 0n, 0n], Chunk.None);
  return moved;
}

function oneSegment(address: bigint, length: bigint): Segments | number {
  if (length >> 63n) return -Errno.EINVAL;
  const total = length > BigInt(MAX_RW_COUNT) ? MAX_RW_COUNT : Number(length);
  return new Segments([{ address, length: total }], total);
}

/** struct iovec {base u64, length u64}, at most IOV_MAX of them. */
function readVector(port: FilePort, address: bigint, count: bigint): Segments | number {
  if (count > BigInt(IOV_MAX)) return -Errno.EINVAL;
  const entries = Number(count);
  const error = entries ? port.copyIn(address, 0, entries * 16) : 0;
  if (error < 0) return error;
  const view = new DataView(port.bytes.buffer, port.bytes.byteOffset, entries * 16);
  const list: Segment[] = [];
  let total = 0;
  for (let i = 0; i < entries; i++) {
    const base = view.getBigUint64(i * 16, true);
    const size = view.getBigUint64(i * 16 + 8, true);
    if (size >> 63n) return -Errno.EINVAL;
    const length = Math.min(size > BigInt(MAX_RW_COUNT) ? MAX_RW_COUNT : Number(size), MAX_RW_COUNT - total);
    list.push({ address: base, length });
    total += length;
  }
  return new Segments(list, total);
}
