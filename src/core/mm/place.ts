/**
 * Where a mapping goes: the address that was asked for, or a hole.
 *
 * Order of checks: mm/mmap.c:__get_unmapped_area, mm/mmap.c:arch_get_unmapped_area_topdown. mmapLock held.
 *
 *   ENOMEM   longer than the space above mmap_min_addr; fixed, and past the end; no hole
 *   EINVAL   fixed, and not page-aligned
 *   EPERM    fixed, and below mmap_min_addr
 *   EEXIST   MAP_FIXED_NOREPLACE over something
 */
import { Errno } from "../abi/errno";
import { MapFlag } from "../abi/mman";
import { TASK_SIZE } from "./pte";
import { MMAP_MIN, S_STACK_LIMIT, STACK_GUARD, spaceOf, treeRoot } from "./space";
import { findEndingAbove, findGap } from "./tree";
import { VM_GROWSDOWN, vmaFlags, vmaStart } from "./vma";

/** The address for `bytes`, a multiple of the page; a negative errno when there is none. Of `flags` only FIXED… count. */
export function placeLocked(cpu: usize, addr: u64, bytes: u64, flags: u32): i64 {
  if (bytes > TASK_SIZE - MMAP_MIN) return -Errno.ENOMEM;
  if ((flags & (MapFlag.Fixed | MapFlag.FixedNoReplace)) != 0) {
    if (addr > TASK_SIZE - bytes) return -Errno.ENOMEM;
    if ((addr & 4095) != 0) return -Errno.EINVAL;
    if (addr < MMAP_MIN) return -Errno.EPERM;
    if ((flags & MapFlag.FixedNoReplace) != 0 && overlaps(cpu, addr, addr + bytes)) return -Errno.EEXIST;
    return <i64>addr;
  }
  const hint = hintFrom(addr);
  if (hint >= MMAP_MIN && hint <= TASK_SIZE - bytes && !nearlyOverlaps(cpu, hint, hint + bytes)) return <i64>hint;
  // Below the stack's limit and guard, from the top down (arch_pick_mmap_layout).
  const base = mmapBase(cpu);
  let at = findGap(treeRoot(cpu), bytes, MMAP_MIN, base);
  if (at == 0) at = findGap(treeRoot(cpu), bytes, base, TASK_SIZE);
  return at == 0 ? -Errno.ENOMEM : <i64>at;
}

/** Linux: mm/util.c:mmap_base: the gap for the stack is at most five sixths of the space. */
function mmapBase(cpu: usize): u64 {
  const most = (TASK_SIZE / 6) * 5;
  const limit = load<u64>(spaceOf(cpu), S_STACK_LIMIT);
  return TASK_SIZE - (limit > most ? most : limit) - STACK_GUARD;
}

/** Linux: mm/mmap.c:round_hint_to_min. */
function hintFrom(addr: u64): u64 {
  const hint = addr & ~(<u64>4095);
  return hint != 0 && hint < MMAP_MIN ? MMAP_MIN : hint;
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
