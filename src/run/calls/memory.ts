/**
 * calls/memory.ts: the address space: mmap, munmap, mremap, mprotect, brk, madvise, mlock. The core does the work; here files
 * become objects, objects that lost their last mapping are given back to the host, and pages that a call must bring in are
 * read from their files.
 */
import { Errno } from "../../core/abi/errno.js";
import { Advice, MapFlag, MlockFlag, MsyncFlag, Populate } from "../../core/abi/mman.js";
import { TASK_SIZE } from "../elf.js";
import { HostCall, MapBits } from "../files/service.js";
import type { Thread } from "../thread.js";
import { type Args, int, long, uint } from "./args.js";

const PAGE_BITS = 4095n;
/** core/mm/uaccess.ts */
const NEED_IO = -4100n;
/** Pages that mincore asks for at once. */
const PIECE = 4096;
const ASYNC_AND_SYNC = MsyncFlag.Async | MsyncFlag.Sync;
/** core/mm/msync.ts: where a step says that it passed a hole. */
const HOLE = 28;

export function mmap(thread: Thread, args: Args): bigint | number {
  const { core, cpu, guest, port } = thread;
  const prot = uint(args, 2);
  const flags = uint(args, 3) & ~MapFlag.NoWrite;
  const offset = long(args, 5);
  // Linux: an unaligned offset is seen before the descriptor.
  if ((offset & PAGE_BITS) !== 0n) return -Errno.EINVAL;
  let object = 0;
  let own = 0;
  if ((flags & MapFlag.Anonymous) === 0) {
    const fd = BigInt(int(args, 4));
    object = port.request(HostCall.MapObject, [fd, BigInt(prot), BigInt(flags), 0n, 0n, 0n], 0, false);
    if (object < 0) return long(args, 1) === 0n && object !== -Errno.EBADF ? -Errno.EINVAL : object;
    if ((guest.view.getUint32(0, true) & MapBits.MayWrite) === 0) own = MapFlag.NoWrite;
  }
  const at = core.sysMmap(cpu, long(args, 0), long(args, 1), prot, flags | own, object, object === 0 ? 0n : offset);
  if (object !== 0) core.closeObject(cpu, object);
  guest.releaseObjects();
  if (at > 0n && object !== 0) {
    const wanted = (flags & (MapFlag.Populate | MapFlag.NonBlock)) === MapFlag.Populate;
    populate(thread, at, at + long(args, 1), wanted ? Populate.Touch : Populate.Locked);
  }
  return at;
}

/** Brings pages in, those of files too; the first errno, which mmap and mremap do not tell. */
function populate(thread: Thread, start: bigint, end: bigint, how: Populate): number {
  const { core, cpu, guest } = thread;
  let from = start;
  return guest.serve(() => {
    const result = core.populateRange(cpu, from, end, how);
    if (result !== 0n) from = core.ioAddress(cpu);
    return result;
  });
}

export function mremap(thread: Thread, args: Args): bigint {
  const { core, cpu } = thread;
  const [from, to] = [long(args, 1), long(args, 2)];
  const at = core.sysMremap(cpu, long(args, 0), from, to, uint(args, 3), long(args, 4));
  if (at > 0n && to > from) populate(thread, at + from, at + to, Populate.Locked);
  thread.guest.releaseObjects();
  return at;
}

/** Its pages are brought in, as by MAP_POPULATE. */
export function remapFilePages(thread: Thread, args: Args): bigint {
  const { core, cpu, guest } = thread;
  const [start, length] = [long(args, 0), long(args, 1)];
  const result = core.sysRemapFilePages(cpu, start, length, long(args, 2), long(args, 3));
  guest.releaseObjects();
  if (result === 0n) populate(thread, start & ~PAGE_BITS, (start & ~PAGE_BITS) + (length & ~PAGE_BITS), Populate.Touch);
  return result;
}

export function munmap(thread: Thread, args: Args): bigint {
  const result = thread.core.sysMunmap(thread.cpu, long(args, 0), long(args, 1));
  thread.guest.releaseObjects();
  return result;
}

export function mprotect(thread: Thread, args: Args): bigint {
  return thread.core.sysMprotect(thread.cpu, long(args, 0), long(args, 1), uint(args, 2));
}

export function brk(thread: Thread, args: Args): bigint {
  return thread.core.sysBrk(thread.cpu, long(args, 0));
}

export function madvise(thread: Thread, args: Args): bigint | number {
  const advice = int(args, 2);
  if (advice === Advice.Remove) return remove(thread, args);
  if (advice === Advice.PopulateRead || advice === Advice.PopulateWrite) return populateAdvice(thread, args, advice);
  return thread.core.sysMadvise(thread.cpu, long(args, 0), long(args, 1), advice);
}

/** MADV_REMOVE: the core checks; files get their holes from who keeps them. Linux: mm/madvise.c:madvise_remove. */
function remove(thread: Thread, args: Args): number {
  const { core, cpu, guest } = thread;
  const [start, length] = [long(args, 0), long(args, 1)];
  const bytes = BigInt.asUintN(64, length + PAGE_BITS) & ~PAGE_BITS;
  if ((start & PAGE_BITS) !== 0n || (length !== 0n && bytes === 0n)) return -Errno.EINVAL;
  const end = BigInt.asUintN(64, start) + bytes;
  if (end >= 1n << 64n) return -Errno.EINVAL;
  let hole = 0;
  for (let at = BigInt.asUintN(64, start); at < end; ) {
    guest.view.setUint32(HOLE, hole, true);
    const result = core.removeNext(cpu, at, end, guest.out);
    if (result < 0n) return Number(result);
    hole = guest.view.getUint32(HOLE, true);
    if (result === 0n) break;
    at = guest.view.getBigUint64(0, true);
    const [from, upTo] = [guest.view.getBigUint64(8, true), guest.view.getBigUint64(16, true)];
    const object = BigInt(guest.view.getUint32(24, true));
    const error = guest.request(HostCall.PunchObject, [object, from, upTo - from, 0n, 0n, 0n], 0);
    if (error < 0) return error;
  }
  return hole === 0 ? 0 : -Errno.ENOMEM;
}

/** The core checks the range; a page that the host must read is brought in here, and the rest after it. */
function populateAdvice(thread: Thread, args: Args, advice: Advice): number {
  const { core, cpu, guest } = thread;
  const end = long(args, 0) + ((long(args, 1) + PAGE_BITS) & ~PAGE_BITS);
  let [from, length] = [long(args, 0), long(args, 1)];
  return guest.serve(() => {
    const result = core.sysMadvise(cpu, from, length, advice);
    if (result === NEED_IO) {
      from = core.ioAddress(cpu) & ~PAGE_BITS;
      length = end - from;
    }
    return result;
  });
}

export function mlock(thread: Thread, args: Args): bigint | number {
  return lock(thread, args, 0);
}

export function mlock2(thread: Thread, args: Args): bigint | number {
  return lock(thread, args, uint(args, 2));
}

/** Linux: mm/mlock.c:__mlock_posix_error_return. */
function lock(thread: Thread, args: Args, flags: number): bigint | number {
  const [address, length] = [long(args, 0), long(args, 1)];
  const result = thread.core.sysMlock(thread.cpu, address, length, flags);
  if (result < 0n) return result;
  const error = populate(thread, address & ~PAGE_BITS, (address + length + PAGE_BITS) & ~PAGE_BITS, Populate.Locked);
  return error === -Errno.EFAULT ? -Errno.ENOMEM : error === -Errno.ENOMEM ? -Errno.EAGAIN : error;
}

export function munlock(thread: Thread, args: Args): bigint {
  return thread.core.sysMunlock(thread.cpu, long(args, 0), long(args, 1));
}

/** What cannot be brought in is left out, mapping by mapping. */
export function mlockall(thread: Thread, args: Args): bigint {
  const result = thread.core.sysMlockAll(thread.cpu, uint(args, 0));
  if (result === 0n && (uint(args, 0) & MlockFlag.Current) !== 0) populate(thread, 0n, TASK_SIZE, Populate.Locked);
  return result;
}

export function munlockall(thread: Thread): bigint {
  return thread.core.sysMunlockAll(thread.cpu);
}

/** As on a machine without protection keys: only the default one, -1, which leaves the key as it is. */
export function pkeyMprotect(thread: Thread, args: Args): bigint | number {
  return int(args, 3) === -1 ? mprotect(thread, args) : -Errno.EINVAL;
}

/** Linux: mm/mprotect.c:SYSCALL_DEFINE2(pkey_alloc): flags and rights are checked, then there is no key. */
export function pkeyAlloc(_thread: Thread, args: Args): number {
  return long(args, 0) !== 0n || (long(args, 1) & ~3n) !== 0n ? -Errno.EINVAL : -Errno.ENOSPC;
}

export function pkeyFree(): number {
  return -Errno.EINVAL;
}

/** In pieces of the bounce buffer. Linux: mm/mincore.c. */
export function mincore(thread: Thread, args: Args): number {
  const { core, cpu, guest } = thread;
  const [start, length, vector] = [long(args, 0), BigInt.asUintN(64, long(args, 1)), long(args, 2)];
  if ((start & PAGE_BITS) !== 0n) return -Errno.EINVAL;
  if (BigInt.asUintN(64, start) + length > TASK_SIZE) return -Errno.ENOMEM;
  const pages = Number((length + PAGE_BITS) >> 12n);
  if (BigInt.asUintN(64, vector) + BigInt(pages) > TASK_SIZE) return -Errno.EFAULT;
  for (let done = 0; done < pages; done += PIECE) {
    const n = Math.min(PIECE, pages - done);
    const result = core.sysMincore(cpu, start + BigInt(done) * 4096n, n, guest.out);
    if (result < 0n) return Number(result);
    const error = guest.copyOut(vector + BigInt(done), 0, n);
    if (error < 0) return error;
  }
  return 0;
}

/** Linux: mm/msync.c. What the core finds shared is written back here, part by part, with nothing held. */
export function msync(thread: Thread, args: Args): number {
  const { core, cpu, guest } = thread;
  const [start, length, flags] = [long(args, 0), long(args, 1), uint(args, 2)];
  if ((flags & ~(MsyncFlag.Async | MsyncFlag.Invalidate | MsyncFlag.Sync)) !== 0) return -Errno.EINVAL;
  if ((start & PAGE_BITS) !== 0n || (flags & ASYNC_AND_SYNC) === ASYNC_AND_SYNC) return -Errno.EINVAL;
  const end = start + BigInt.asIntN(64, (length + PAGE_BITS) & ~PAGE_BITS);
  if (end < start) return -Errno.ENOMEM;
  guest.view.setUint32(HOLE, 0, true);
  for (let at = start; at < end; at = guest.view.getBigUint64(0, true)) {
    const result = core.msyncNext(cpu, at, end, flags, guest.out);
    if (result < 0n) return Number(result);
    if (result === 0n) break;
    const [next, hole] = [guest.view.getBigUint64(0, true), guest.view.getUint32(HOLE, true)];
    const [from, upTo] = [guest.view.getBigUint64(8, true), guest.view.getBigUint64(16, true)];
    const error = guest.writeBack(guest.view.getUint32(24, true), from, upTo);
    if (error < 0) return error;
    guest.view.setBigUint64(0, next, true);
    guest.view.setUint32(HOLE, hole, true);
  }
  return guest.view.getUint32(HOLE, true) === 0 ? 0 : -Errno.ENOMEM;
}

export function membarrier(thread: Thread, args: Args): bigint {
  return thread.core.sysMembarrier(thread.cpu, uint(args, 0), uint(args, 1));
}
