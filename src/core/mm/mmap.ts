/**
 * mmap(2): private and shared mappings, anonymous or of an object. Shared anonymous memory is an object of its own.
 *
 * Promise    the range is mapped when the call returns; pages come with their first access. A reservation costs one VMA.
 * Locks      takes mmapLock (write)
 * Order      of checks and errnos: mm/mmap.c:do_mmap, mm/mmap.c:__get_unmapped_area
 *
 *   EINVAL     length 0; offset not page-aligned; neither MAP_SHARED nor MAP_PRIVATE; MAP_FIXED at an unaligned address;
 *              a file that grows down
 *   ENOMEM     length past the address space; no hole large enough; no memory for the records; max_map_count
 *   EEXIST     MAP_FIXED_NOREPLACE over something
 *   EPERM      MAP_FIXED below mmap_min_addr
 *   EBADF      no such object
 *   EOPNOTSUPP MAP_SHARED_VALIDATE with a flag it does not know
 */

import { Counter } from "../abi/counter";
import { Errno } from "../abi/errno";
import { MapFlag } from "../abi/mman";
import { drainDeferred } from "./deferred";
import { insertLocked, unmapLocked } from "./mapping";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { getObject, KIND_SHMEM, O_ID, openObject, putObject } from "./object";
import { count } from "./percpu";
import { populate } from "./populate";
import { TASK_SIZE } from "./pte";
import { MMAP_MIN, S_STACK_LIMIT, STACK_GUARD, spaceOf, treeRoot } from "./space";
import { findEndingAbove, findGap } from "./tree";
import { PROT_MASK, VM_GROWSDOWN, VM_NORESERVE, VM_NOWRITE, VM_SHARED, vmaFlags, vmaStart } from "./vma";

/** Returns the address, or a negative errno. `object` 0 maps anonymous memory. */
export function sysMmap(cpu: usize, addr: u64, length: u64, prot: u32, flags: u32, object: u32, offset: u64): i64 {
  count(cpu, Counter.Mmaps);
  const type = flags & MapFlag.TypeMask;
  if (length == 0 || (offset & 4095) != 0) return -Errno.EINVAL;
  if (length > TASK_SIZE) return -Errno.ENOMEM;
  if (type != MapFlag.Private && type != MapFlag.Shared && type != MapFlag.SharedValidate) return -Errno.EINVAL;
  if (type == MapFlag.SharedValidate && (flags & ~(KNOWN_FLAGS | MapFlag.NoWrite)) != 0) return -Errno.EOPNOTSUPP;
  if (object != 0 && (flags & MapFlag.GrowsDown) != 0) return -Errno.EINVAL;
  if ((flags & MapFlag.HugeTlb) != 0) return -Errno.EINVAL;
  const bytes = (length + 4095) & ~(<u64>4095);
  let record: usize = 0;
  let id = object;
  if (object != 0) {
    record = getObject(cpu, object);
    if (record == 0) return -Errno.EBADF;
  } else if (type != MapFlag.Private) {
    record = openObject(cpu, 0, KIND_SHMEM, bytes, 0);
    if (record == 0) return -Errno.ENOMEM;
    id = load<u32>(record, O_ID);
  }
  mmapWriteLock(cpu);
  let at = placeLocked(cpu, addr, bytes, flags);
  if (at > 0) {
    const failed = mapLocked(cpu, <u64>at, <u64>at + bytes, vmaFlagsOf(prot, flags), id, offset, record);
    if (failed != 0) at = <i64>failed;
  }
  mmapWriteUnlock(cpu);
  if (record != 0) putObject(cpu, record);
  drainDeferred(cpu);
  if (at > 0 && (flags & MapFlag.Populate) != 0) populate(cpu, <u64>at, <u64>at + bytes, prot);
  return at;
}

const KNOWN_FLAGS: u32 =
  MapFlag.TypeMask |
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
  MapFlag.FixedNoReplace;

function vmaFlagsOf(prot: u32, flags: u32): u32 {
  let f = prot & PROT_MASK;
  if ((flags & MapFlag.TypeMask) != MapFlag.Private) f |= VM_SHARED;
  if ((flags & MapFlag.NoWrite) != 0 && (f & VM_SHARED) != 0) f |= VM_NOWRITE;
  if ((flags & MapFlag.GrowsDown) != 0) f |= VM_GROWSDOWN;
  if ((flags & MapFlag.NoReserve) != 0) f |= VM_NORESERVE;
  return f;
}

/** Chooses the address; negative errno when there is none. */
function placeLocked(cpu: usize, addr: u64, bytes: u64, flags: u32): i64 {
  if ((flags & (MapFlag.Fixed | MapFlag.FixedNoReplace)) != 0) {
    if ((addr & 4095) != 0) return -Errno.EINVAL;
    if (bytes > TASK_SIZE || addr > TASK_SIZE - bytes) return -Errno.ENOMEM;
    if (addr < MMAP_MIN) return -Errno.EPERM;
    if ((flags & MapFlag.FixedNoReplace) != 0 && overlaps(cpu, addr, addr + bytes)) return -Errno.EEXIST;
    return <i64>addr;
  }
  const hint = (addr + 4095) & ~(<u64>4095);
  if (hint >= MMAP_MIN && bytes <= TASK_SIZE && hint <= TASK_SIZE - bytes && !nearlyOverlaps(cpu, hint, hint + bytes)) {
    return <i64>hint;
  }
  // Below the stack's limit and guard, from the top down (arch_pick_mmap_layout).
  const base = TASK_SIZE - load<u64>(spaceOf(cpu), S_STACK_LIMIT) - STACK_GUARD;
  let at = findGap(treeRoot(cpu), bytes, MMAP_MIN, base);
  if (at == 0) at = findGap(treeRoot(cpu), bytes, base, TASK_SIZE);
  return at == 0 ? -Errno.ENOMEM : <i64>at;
}

function overlaps(cpu: usize, start: u64, end: u64): bool {
  const vma = findEndingAbove(treeRoot(cpu), start);
  return vma != 0 && vmaStart(vma) < end;
}

/** A hint also keeps clear of the guard gap below a stack. */
function nearlyOverlaps(cpu: usize, start: u64, end: u64): bool {
  const vma = findEndingAbove(treeRoot(cpu), start);
  if (vma == 0) return false;
  const growsDown = (vmaFlags(vma) & VM_GROWSDOWN) != 0;
  const claim = growsDown && vmaStart(vma) > STACK_GUARD ? vmaStart(vma) - STACK_GUARD : vmaStart(vma);
  return claim < end;
}

/** Maps [start, end) over whatever is there. */
function mapLocked(cpu: usize, start: u64, end: u64, flags: u32, object: u32, offset: u64, record: usize): i32 {
  const failed = unmapLocked(cpu, start, end);
  if (failed != 0) return failed;
  return insertLocked(cpu, start, end, flags, object, offset, record);
}
