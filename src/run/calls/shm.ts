/**
 * calls/shm.ts: shmat and shmdt: System V segments come into the address space and go. Which segment, and who may, the file
 * service knows (files/shm.ts, where shmget and shmctl are served whole); mapping and unmapping is the core's.
 *
 * Which VMAs  shmdt(address) unmaps those that show a segment's page n at address + n pages, whatever mprotect, munmap or
 *             mremap made of the mapping: the first above the address says which segment, and so how far to look.
 *
 *                 address         + size of the segment
 *                 [ a ]    [  b  ][ c ]            a, b and c go, all of one segment and at their own offset
 *
 * Race        Linux holds mmap_lock over all of it; here each VMA is looked at and unmapped by itself. A thread that maps
 *             something else there meanwhile has raced with its own shmdt.
 * Linux       ipc/shm.c:do_shmat, ksys_shmdt
 */
import { Errno } from "../../core/abi/errno.js";
import { MapFlag, Prot } from "../../core/abi/mman.js";
import { TASK_SIZE } from "../elf.js";
import { HostCall } from "../files/service.js";
import type { Thread } from "../thread.js";
import { type Args, int, long, uint } from "./args.js";

const PAGE_BITS = 4095n;
const READ_ONLY = 0o10000;
const ROUND = 0o20000;
const REMAP = 0o40000;
const EXECUTE = 0o100000;

export function shmat(thread: Thread, args: Args): bigint | number {
  const { core, cpu, guest, port } = thread;
  const [id, flags] = [int(args, 0), uint(args, 2)];
  if (id < 0) return -Errno.EINVAL;
  const where = placeFor(long(args, 1), flags);
  if (!where) return -Errno.EINVAL;
  const object = port.request(HostCall.ShmAt, [BigInt(id), BigInt(flags), 0n, 0n, 0n, 0n], 0, false);
  if (object < 0) return object;
  const size = guest.view.getBigUint64(0, true);
  const readOnly = (flags & READ_ONLY) !== 0;
  const prot = Prot.Read | (readOnly ? 0 : Prot.Write) | (flags & EXECUTE ? Prot.Exec : 0);
  const kept = MapFlag.Shared | where.flags | (readOnly ? MapFlag.NoWrite : 0);
  const at = core.sysMmap(cpu, where.address, size, prot, kept, object, 0n);
  core.closeObject(cpu, object);
  guest.releaseObjects();
  // Something is there already, and SHM_REMAP was not said.
  return at === BigInt(-Errno.EEXIST) ? -Errno.EINVAL : at;
}

/** undefined: such an address cannot be asked for. */
function placeFor(address: bigint, flags: number): { address: bigint; flags: number } | undefined {
  const remap = (flags & REMAP) !== 0;
  if (address === 0n) return remap ? undefined : { address, flags: 0 };
  const rounded = flags & ROUND ? address & ~PAGE_BITS : address;
  if ((rounded & PAGE_BITS) !== 0n || (rounded === 0n && remap)) return undefined;
  return { address: rounded, flags: remap ? MapFlag.Fixed : MapFlag.FixedNoReplace };
}

export function shmdt(thread: Thread, args: Args): bigint | number {
  const address = long(args, 0);
  if ((address & PAGE_BITS) !== 0n) return -Errno.EINVAL;
  let segment = 0;
  let end = TASK_SIZE;
  for (let vma = nextVma(thread, address); vma && vma.end <= end; vma = nextVma(thread, vma.end)) {
    if (vma.object === 0 || vma.start < address || vma.start - address !== vma.offset) continue;
    if (segment === 0) {
      const size = thread.port.request(HostCall.ShmDt, [BigInt(vma.object), 0n, 0n, 0n, 0n, 0n], 0, false);
      if (size < 0) continue;
      segment = vma.object;
      end = address + BigInt(size);
    }
    if (vma.object !== segment) continue;
    const error = thread.core.sysMunmap(thread.cpu, vma.start, vma.end - vma.start);
    if (error < 0n) return error;
  }
  thread.guest.releaseObjects();
  return segment === 0 ? -Errno.EINVAL : 0;
}

interface Vma {
  readonly start: bigint;
  readonly end: bigint;
  readonly offset: bigint;
  readonly object: number;
}

/** The first VMA of this process that ends above the address; mm/inspect.ts says what lies where. */
function nextVma({ core, cpu, guest }: Thread, address: bigint): Vma | undefined {
  if (core.nextVma(cpu, core.spaceOf(cpu), address, guest.out) === 0) return undefined;
  const { view } = guest;
  return {
    start: view.getBigUint64(0, true),
    end: view.getBigUint64(8, true),
    offset: view.getBigUint64(16, true),
    object: view.getUint32(28, true),
  };
}
