/**
 * calls/processMemory.ts: process_vm_readv, process_vm_writev, process_madvise: the memory of a process by its id.
 *
 * Promise    bytes move between the two spaces through the bounce buffer, a piece at a time; each page of the other space is
 *            copied under its table's lock, without that space's mmapLock under protection rcu (core/mm/remote.ts). Advice to
 *            another process is a hint: its VMAs are looked at, without its mmapLock too (core/mm/madvise.ts).
 * Errors     process_vm: EINVAL flags, more than 1,024 pieces, a length past SSIZE_MAX; EFAULT the vectors; ESRCH; then what was
 *            copied, or EFAULT when that is nothing.  process_madvise: EINVAL flags, vectors, advice that only the process itself may
 *            give; EBADF no pidfd; ESRCH it has ended; EPERM another process and not root
 * Linux      mm/process_vm_access.c:process_vm_rw; mm/madvise.c:SYSCALL_DEFINE5(process_madvise)
 */
import { Errno } from "../../core/abi/errno.js";
import { Advice } from "../../core/abi/mman.js";
import type { Thread } from "../thread.js";
import { type Args, int, long, uint } from "./args.js";
import { madvise } from "./memory.js";
import { namedBy } from "./pidfd.js";

interface Piece {
  at: bigint;
  length: bigint;
}

const MOST_PIECES = 1024n;
/** Linux: include/linux/fs.h:MAX_RW_COUNT. */
const MOST_BYTES = 0x7ffff000n;
/** One step of the core: a signal and an interrupt need not wait longer. */
const MOST_AT_ONCE = 1n << 20n;
/** The caller itself, as a pidfd (include/uapi/linux/pidfd.h). */
const SELF_THREAD = -10000;
const SELF_GROUP = -10001;

export function processVmReadv(thread: Thread, args: Args): number {
  return transfer(thread, args, false);
}

export function processVmWritev(thread: Thread, args: Args): number {
  return transfer(thread, args, true);
}

function transfer(thread: Thread, args: Args, write: boolean): number {
  if (long(args, 5) !== 0n) return -Errno.EINVAL;
  const local = vector(thread, long(args, 1), long(args, 2), MOST_BYTES);
  if (typeof local === "number") return local;
  if (local.every(({ length }) => length === 0n)) return 0;
  const remote = vector(thread, long(args, 3), long(args, 4), undefined);
  if (typeof remote === "number") return remote;
  if (remote.every(({ length }) => length === 0n)) return 0;
  const space = holdSpaceOf(thread, int(args, 0));
  if (space === 0) return -Errno.ESRCH;
  try {
    return copyPieces(thread, space, local, remote, write);
  } finally {
    thread.core.putSpace(thread.cpu, space);
  }
}

/** The space of a process, with a reference; 0 when there is no such process. */
export function holdSpaceOf(thread: Thread, pid: number): number {
  const { core, cpu } = thread;
  if (pid !== thread.process.pid && pid !== thread.tid) return core.processSpace(cpu, pid);
  const space = core.spaceOf(cpu);
  core.holdSpace(space);
  return space;
}

/** A vector of the caller's: its pieces, cut at `most` bytes in all; or an errno. */
function vector(thread: Thread, address: bigint, count: bigint, most: bigint | undefined): Piece[] | number {
  const { guest } = thread;
  if (BigInt.asUintN(64, count) > MOST_PIECES) return -Errno.EINVAL;
  const bytes = Number(count) * 16;
  const error = guest.copyIn(address, 0, bytes);
  if (error < 0) return error;
  const pieces: Piece[] = [];
  let left = most;
  for (let i = 0; i < bytes; i += 16) {
    let length = guest.view.getBigInt64(i + 8, true);
    if (length < 0n) return -Errno.EINVAL;
    if (left !== undefined) {
      if (length > left) length = left;
      left -= length;
    }
    pieces.push({ at: guest.view.getBigUint64(i, true), length });
  }
  return pieces;
}

/** Walks both vectors in step. */
function copyPieces(thread: Thread, space: number, local: Piece[], remote: Piece[], write: boolean): number {
  let done = 0;
  let [i, j] = [0, 0];
  let [here, there] = [0n, 0n];
  while (i < local.length && j < remote.length) {
    const [a, b] = [local[i] as Piece, remote[j] as Piece];
    if (here === a.length) {
      i++;
      here = 0n;
    } else if (there === b.length) {
      j++;
      there = 0n;
    } else {
      const rest = a.length - here < b.length - there ? a.length - here : b.length - there;
      const { core, cpu, guest } = thread;
      const n = guest.serve(() =>
        core.copyBetween(
          cpu,
          space,
          a.at + here,
          b.at + there,
          rest < MOST_AT_ONCE ? rest : MOST_AT_ONCE,
          write ? 1 : 0,
        ),
      );
      if (n < 0) return done > 0 ? done : n;
      done += n;
      here += BigInt(n);
      there += BigInt(n);
    }
  }
  return done;
}

export function processMadvise(thread: Thread, args: Args): number {
  if (uint(args, 4) !== 0) return -Errno.EINVAL;
  const pieces = vector(thread, long(args, 1), long(args, 2), MOST_BYTES);
  if (typeof pieces === "number") return pieces;
  const pidfd = int(args, 0);
  const own = pidfd === SELF_THREAD || pidfd === SELF_GROUP;
  const named = own ? thread.process : namedBy(thread, pidfd);
  if (typeof named === "number") return named;
  const { pid } = named;
  if (pid === thread.process.pid)
    return eachPiece(pieces, ({ at, length }) => madvise(thread, [BigInt.asIntN(64, at), length, long(args, 3)]));
  return adviseOther(thread, pid, pieces, int(args, 3));
}

/** Linux: mm/madvise.c:process_madvise_remote_valid; COLLAPSE needs huge pages, which are not here. */
function adviseOther(thread: Thread, pid: number, pieces: readonly Piece[], advice: number): number {
  const { core, cpu } = thread;
  const space = core.processSpace(cpu, pid);
  if (space === 0) return -Errno.ESRCH;
  try {
    if (advice !== Advice.Cold && advice !== Advice.PageOut && advice !== Advice.WillNeed) return -Errno.EINVAL;
    if (thread.process.uid !== 0) return -Errno.EPERM;
    return eachPiece(pieces, ({ at, length }) => core.hintSpace(cpu, space, at, length, advice));
  } finally {
    core.putSpace(cpu, space);
  }
}

/** Bytes of the pieces before the first that failed; its errno when that is none. */
function eachPiece(pieces: readonly Piece[], advise: (piece: Piece) => bigint | number): number {
  let done = 0;
  for (const piece of pieces) {
    const result = Number(advise(piece));
    if (result < 0) return done > 0 ? done : result;
    done += Number(piece.length);
  }
  return done;
}
