/**
 * What a space is charged for its VMAs, and what its limits leave.
 *
 *   mapCount    VMAs                                          max_map_count
 *   totalVm     pages of all                                  RLIMIT_AS
 *   dataVm      pages private and writable, stacks apart      RLIMIT_DATA
 *   lockedVm    pages of VM_LOCKED                            RLIMIT_MEMLOCK, unless the space is privileged
 *   committed   pages of VM_ACCOUNT                           a figure: Committed_AS
 *
 * Promise    the figures are those of the VMAs in the tree, whenever mmapLock is free: each VMA is counted when it enters
 *            the tree and when it leaves it (mapping.ts), by its own flags and bounds, and by nobody else.
 * Overcommit heuristic, Linux's mode 0, where the space asks for it (limits.ts): what alone is more than the whole memory is
 *            refused, and nothing else.
 * Locks      mmapLock: write to change, any to ask.
 * Linux      mm/mmap.c:vm_stat_account, may_expand_vm, mlock_future_ok; mm/util.c:__vm_enough_memory
 */
import { Prot } from "../abi/mman";
import { H_FRAMES } from "../sync/layout";
import { KIND_SHMEM, O_KIND } from "./object";
import {
  S_CHECK_COMMIT,
  S_COMMITTED,
  S_DATA_VM,
  S_LIMIT_AS,
  S_LIMIT_DATA,
  S_LIMIT_MEMLOCK,
  S_LOCKED_VM,
  S_MAP_COUNT,
  S_PRIVILEGED,
  S_TOTAL_VM,
  spaceOf,
  treeRoot,
} from "./space";
import { findEndingAbove } from "./tree";
import { VM_ACCOUNT, VM_GROWSDOWN, VM_LOCKED, VM_NORESERVE, VM_SHARED, vmaEnd, vmaFlags, vmaStart } from "./vma";

function add(space: usize, field: usize, n: u32): void {
  store<u32>(space + field, load<u32>(space + field) + n);
}

/** A VMA enters the tree (by: 1) or left it (by: -1). */
export function countVma(cpu: usize, vma: usize, by: i32): void {
  const space = spaceOf(cpu);
  const flags = vmaFlags(vma);
  const pages = <u32>((vmaEnd(vma) - vmaStart(vma)) >> 12) * <u32>by;
  add(space, S_MAP_COUNT, <u32>by);
  add(space, S_TOTAL_VM, pages);
  if (isData(flags)) add(space, S_DATA_VM, pages);
  if ((flags & VM_LOCKED) != 0) add(space, S_LOCKED_VM, pages);
  if ((flags & VM_ACCOUNT) != 0) add(space, S_COMMITTED, pages);
}

/** Linux: include/linux/mm.h:is_data_mapping. */
export function isData(flags: u32): bool {
  return (flags & (Prot.Write | VM_SHARED | VM_GROWSDOWN)) == <u32>Prot.Write;
}

/** Linux: mm/mmap.c:accountable_mapping; shared anonymous memory is charged as shmem charges itself. */
export function isAccountable(flags: u32, object: usize): bool {
  if ((flags & VM_NORESERVE) != 0) return false;
  if ((flags & VM_SHARED) != 0) return object != 0 && load<u32>(object, O_KIND) == KIND_SHMEM;
  return (flags & Prot.Write) != 0;
}

/** Whether `pages` more of such a mapping stay within RLIMIT_AS and RLIMIT_DATA. */
export function mayExpand(cpu: usize, flags: u32, pages: u64): bool {
  const space = spaceOf(cpu);
  if (<u64>load<u32>(space, S_TOTAL_VM) + pages > load<u64>(space, S_LIMIT_AS) >> 12) return false;
  return !isData(flags) || <u64>load<u32>(space, S_DATA_VM) + pages <= load<u64>(space, S_LIMIT_DATA) >> 12;
}

/** Whether there is memory for `pages` more at all, as mode 0 judges. */
export function mayCommit(cpu: usize, pages: u64): bool {
  return load<u32>(spaceOf(cpu), S_CHECK_COMMIT) == 0 || pages <= <u64>load<u32>(H_FRAMES);
}

export function isPrivileged(cpu: usize): bool {
  return load<u32>(spaceOf(cpu), S_PRIVILEGED) != 0;
}

/** Whether this space may lock memory at all. Linux: mm/mlock.c:can_do_mlock. */
export function mayLockAny(cpu: usize): bool {
  return load<u64>(spaceOf(cpu), S_LIMIT_MEMLOCK) != 0 || isPrivileged(cpu);
}

/** Whether `pages` more of a mapping with these flags stay within RLIMIT_MEMLOCK. */
export function mayLock(cpu: usize, flags: u32, pages: u64): bool {
  if ((flags & VM_LOCKED) == 0 || isPrivileged(cpu)) return true;
  return pages + <u64>load<u32>(spaceOf(cpu), S_LOCKED_VM) <= load<u64>(spaceOf(cpu), S_LIMIT_MEMLOCK) >> 12;
}

/** Pages of [start, end) in VMAs that have all of `flags`. Linux: mm/mmap.c:count_vma_pages_range, mm/mlock.c:count_mm_mlocked_page_nr */
export function pagesIn(cpu: usize, start: u64, end: u64, flags: u32): u64 {
  let pages: u64 = 0;
  let vma = findEndingAbove(treeRoot(cpu), start);
  while (vma != 0 && vmaStart(vma) < end) {
    const from = vmaStart(vma) > start ? vmaStart(vma) : start;
    const upTo = vmaEnd(vma) < end ? vmaEnd(vma) : end;
    if ((vmaFlags(vma) & flags) == flags) pages += (upTo - from) >> 12;
    vma = findEndingAbove(treeRoot(cpu), vmaEnd(vma));
  }
  return pages;
}
