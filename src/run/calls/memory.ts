/**
 * calls/memory.ts: the address space: mmap, munmap, mprotect, brk, madvise. The core does the work; here files become
 * objects, and objects that lost their last mapping are given back to the host.
 */
import { Errno } from "../../core/abi/errno.js";
import { MapFlag } from "../../core/abi/mman.js";
import { HostCall, MapBits } from "../files/service.js";
import type { Thread } from "../thread.js";
import { type Args, int, long, uint } from "./args.js";

/** Linux: an unaligned offset is seen before the descriptor. */
const OFFSET_BITS = 4095n;

export function mmap(thread: Thread, args: Args): bigint | number {
  const { core, cpu, guest, port } = thread;
  const prot = uint(args, 2);
  const flags = uint(args, 3) & ~MapFlag.NoWrite;
  const offset = long(args, 5);
  if ((offset & OFFSET_BITS) !== 0n) return -Errno.EINVAL;
  let object = 0;
  let own = 0;
  if ((flags & MapFlag.Anonymous) === 0) {
    if (long(args, 1) === 0n) return -Errno.EINVAL;
    const fd = BigInt(int(args, 4));
    object = port.request(HostCall.MapObject, [fd, BigInt(prot), BigInt(flags), 0n, 0n, 0n], 0, false);
    if (object < 0) return object;
    if ((guest.view.getUint32(0, true) & MapBits.MayWrite) === 0) own = MapFlag.NoWrite;
  }
  const at = core.sysMmap(cpu, long(args, 0), long(args, 1), prot, flags | own, object, object === 0 ? 0n : offset);
  if (object !== 0) core.closeObject(cpu, object);
  guest.releaseObjects();
  return at;
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

export function madvise(thread: Thread, args: Args): bigint {
  return thread.core.sysMadvise(thread.cpu, long(args, 0), long(args, 1), int(args, 2));
}
