/**
 * mmap(2). Shared anonymous memory is an object of its own.
 *
 * Promise    the range is mapped when the call returns; pages come with their first access, or at once with MAP_POPULATE and
 *            MAP_LOCKED, as far as no host has to read them (the caller goes on with populateRange()). A reservation costs one VMA.
 * Without effect, as in Linux: MAP_DENYWRITE, MAP_EXECUTABLE, MAP_STACK, MAP_UNINITIALIZED, MAP_32BIT; MAP_NONBLOCK but for
 *            undoing MAP_POPULATE.
 * Locks      takes mmapLock (write)
 * Errnos     in Linux's order; what concerns the descriptor was checked by who made the object of it
 *   EINVAL     length 0; unaligned offset
 *   ENOMEM     MAP_HUGETLB: no huge page is free (mm/hugetlb.c:hugetlb_reserve_pages);  EINVAL of a size there is not, or of a file
 *   ENOMEM     the length wraps
 *   EOVERFLOW  offset and length wrap
 *   ENOMEM     max_map_count;  and ENOMEM, EINVAL, EPERM, EEXIST of the place: place.ts
 *   EPERM      MAP_LOCKED and RLIMIT_MEMLOCK is 0;  EAGAIN past RLIMIT_MEMLOCK
 *   EOVERFLOW  a file, past the end of the largest
 *   EOPNOTSUPP MAP_SHARED_VALIDATE of a file with a flag it does not know, MAP_FIXED_NOREPLACE among them; MAP_SYNC, as a file
 *              system without DAX (fs/ext4/file.c:ext4_file_mmap)
 *   EINVAL     neither MAP_SHARED nor MAP_PRIVATE; a file, shared or droppable memory that grows down; droppable and locked
 *   ENOMEM     RLIMIT_AS, RLIMIT_DATA; more than the whole memory and not MAP_NORESERVE; no memory for the records
 * Linux      mm/mmap.c of 6.12: do_mmap, mmap_region
 */

import { Counter } from "../abi/counter";
import { Errno } from "../abi/errno";
import { MapFlag, Populate } from "../abi/mman";
import { isAccountable, mayCommit, mayExpand, mayLock, mayLockAny, pagesIn } from "./accounts";
import { drainDeferred } from "./deferred";
import { insertLocked, unmapLocked } from "./mapping";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { getObject, KIND_SHMEM, O_ID, openObject, putObject } from "./object";
import { count } from "./percpu";
import { placeLocked } from "./place";
import { populateRange } from "./populate";
import { MAX_MAP_COUNT, S_FUTURE, S_MAP_COUNT, spaceOf } from "./space";
import {
  PROT_MASK,
  VM_ACCOUNT,
  VM_DONTDUMP,
  VM_DROPPABLE,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_NORESERVE,
  VM_NOWRITE,
  VM_SHARED,
  VM_WIPEONFORK,
} from "./vma";

/** Returns the address, or a negative errno. `object` 0 maps anonymous memory. */
export function sysMmap(cpu: usize, addr: u64, length: u64, prot: u32, flags: u32, object: u32, offset: u64): i64 {
  count(cpu, Counter.Mmaps);
  if (length == 0 || (offset & 4095) != 0) return -Errno.EINVAL;
  if ((flags & MapFlag.HugeTlb) != 0) return refuseHuge(flags, object);
  const bytes = (length + 4095) & ~(<u64>4095);
  if (bytes == 0) return -Errno.ENOMEM;
  if ((offset >> 12) + (bytes >> 12) > MOST_PAGES) return -Errno.EOVERFLOW;
  let record: usize = 0;
  let id = object;
  if (object != 0) {
    record = getObject(cpu, object);
    if (record == 0) return -Errno.EBADF;
  } else if (isShared(flags)) {
    record = openObject(cpu, 0, KIND_SHMEM, bytes, 0);
    if (record == 0) return -Errno.ENOMEM;
    id = load<u32>(record, O_ID);
  }
  mmapWriteLock(cpu);
  const vmFlags = vmaFlagsOf(prot, flags) | load<u32>(spaceOf(cpu), S_FUTURE);
  let at: i64 =
    load<u32>(spaceOf(cpu), S_MAP_COUNT) > MAX_MAP_COUNT ? -Errno.ENOMEM : placeLocked(cpu, addr, bytes, flags);
  if (at > 0) {
    let failed = check(cpu, vmFlags, flags, object, bytes, offset);
    if (failed == 0) {
      // Linux ignores the offset of anonymous memory.
      failed = mapLocked(cpu, <u64>at, <u64>at + bytes, vmFlags, id, object == 0 ? 0 : offset, record);
    }
    if (failed != 0) at = <i64>failed;
  }
  mmapWriteUnlock(cpu);
  if (record != 0) putObject(cpu, record);
  drainDeferred(cpu);
  if (at > 0 && wantsPages(vmFlags, flags)) populateRange(cpu, <u64>at, <u64>at + bytes, Populate.Touch);
  return at;
}

/** Page offsets are 52 bits and a sign in Linux's unsigned long: what wraps there. */
const MOST_PAGES: u64 = 0xf_ffff_ffff_ffff;
/** Bytes of the largest file (include/linux/fs.h:MAX_LFS_FILESIZE). */
const MOST_BYTES: u64 = 0x7fff_ffff_ffff_ffff;

/** What a file's mapping may be asked for beside its type (Linux: include/linux/mman.h:LEGACY_MAP_MASK). */
const LEGACY: u32 =
  MapFlag.SharedValidate |
  MapFlag.Fixed |
  MapFlag.Anonymous |
  MapFlag.GrowsDown |
  MapFlag.DenyWrite |
  MapFlag.Executable |
  MapFlag.Locked |
  MapFlag.NoReserve |
  MapFlag.Populate |
  MapFlag.NonBlock |
  MapFlag.Stack |
  MapFlag.HugeTlb |
  MapFlag.Uninitialized;

function isShared(flags: u32): bool {
  const type = flags & MapFlag.TypeMask;
  return type == MapFlag.Shared || type == MapFlag.SharedValidate;
}

function vmaFlagsOf(prot: u32, flags: u32): u32 {
  let f = prot & PROT_MASK;
  if (isShared(flags)) f |= VM_SHARED;
  // It may be lost: nothing is set aside for it, and neither fork nor a dump keeps it.
  if ((flags & MapFlag.TypeMask) == MapFlag.Droppable) f |= VM_DROPPABLE | VM_NORESERVE | VM_WIPEONFORK | VM_DONTDUMP;
  if ((flags & MapFlag.NoWrite) != 0 && (f & VM_SHARED) != 0) f |= VM_NOWRITE;
  if ((flags & MapFlag.GrowsDown) != 0) f |= VM_GROWSDOWN;
  if ((flags & MapFlag.NoReserve) != 0) f |= VM_NORESERVE;
  if ((flags & MapFlag.Locked) != 0) f |= VM_LOCKED;
  return f;
}

function wantsPages(vmFlags: u32, flags: u32): bool {
  if ((vmFlags & VM_LOCKED) != 0) return true;
  return (flags & (MapFlag.Populate | MapFlag.NonBlock)) == <u32>MapFlag.Populate;
}

/** What do_mmap checks once it has the place. 0, or an errno. */
function check(cpu: usize, vmFlags: u32, flags: u32, object: u32, bytes: u64, offset: u64): i32 {
  if ((flags & MapFlag.Locked) != 0 && !mayLockAny(cpu)) return -Errno.EPERM;
  if (!mayLock(cpu, vmFlags, bytes >> 12)) return -Errno.EAGAIN;
  return object != 0 ? checkFile(flags, bytes, offset) : checkAnonymous(flags);
}

function checkFile(flags: u32, bytes: u64, offset: u64): i32 {
  const type = flags & MapFlag.TypeMask;
  if (bytes > MOST_BYTES || offset > MOST_BYTES - bytes) return -Errno.EOVERFLOW;
  if (type == MapFlag.SharedValidate && (flags & ~(LEGACY | MapFlag.NoWrite)) != 0) return -Errno.EOPNOTSUPP;
  if (type != MapFlag.Private && type != MapFlag.Shared && type != MapFlag.SharedValidate) return -Errno.EINVAL;
  if ((flags & MapFlag.GrowsDown) != 0) return -Errno.EINVAL;
  return (flags & MapFlag.Sync) != 0 ? -Errno.EOPNOTSUPP : 0;
}

function checkAnonymous(flags: u32): i32 {
  const type = flags & MapFlag.TypeMask;
  if (type == MapFlag.Private) return 0;
  if (type == MapFlag.Droppable && (flags & MapFlag.Locked) != 0) return -Errno.EINVAL;
  const known = type == MapFlag.Shared || type == MapFlag.Droppable;
  return known && (flags & MapFlag.GrowsDown) == 0 ? 0 : -Errno.EINVAL;
}

/** A kernel with CONFIG_HUGETLBFS, whose pool of huge pages is empty: of 2 MiB, by name or by default, and of 1 GiB. */
function refuseHuge(flags: u32, object: u32): i64 {
  const size = (flags >> 26) & 63;
  return object == 0 && (size == 0 || size == 21 || size == 30) ? -Errno.ENOMEM : -Errno.EINVAL;
}

/** Maps [start, end) over whatever is there. */
function mapLocked(cpu: usize, start: u64, end: u64, flags: u32, object: u32, offset: u64, record: usize): i32 {
  const pages = (end - start) >> 12;
  if (!mayExpand(cpu, flags, pages) && !mayExpand(cpu, flags, pages - pagesIn(cpu, start, end, 0)))
    return -Errno.ENOMEM;
  const charged = isAccountable(flags, record);
  if (charged && !mayCommit(cpu, pages)) return -Errno.ENOMEM;
  const failed = unmapLocked(cpu, start, end);
  if (failed != 0) return failed;
  return insertLocked(cpu, start, end, charged ? flags | VM_ACCOUNT : flags, object, offset, record);
}
