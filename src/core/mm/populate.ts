/**
 * Faults a range in ahead of its use: MAP_POPULATE, mlock, MADV_POPULATE_READ and MADV_POPULATE_WRITE.
 *
 *   Touch    every VMA: private writable pages as by a write, others as by a read. A hole is passed over
 *   Locked   the same in VMAs that are locked, and not only on fault
 *   Read, Write   as by that access, which each VMA must permit; a hole is an error
 *
 * Promise    0: every page was there at some moment of the call. Else the first that could not be had, and all before it are.
 * Results    -EFAULT      PROT_NONE (Touch, Locked); a guard page; past the end of a file
 *            -EINVAL      Read, Write: the VMA does not permit it
 *            -ENOMEM      Read, Write: a hole
 *            NEED_IO      the host must read a page; the call goes on at ioAddress().  NEED_OOM: no frame
 * Locks      mmapLock for reading, a page at a time, under every policy. With it held no VMA is replaced, so a range that
 *            another thread unmapped meanwhile is seen as gone: nothing is mapped there, and no stack grows for it.
 * Linux      mm/gup.c:__mm_populate, populate_vma_page_range, faultin_page_range
 */

import { Errno } from "../abi/errno";
import { Access } from "../abi/exit";
import { Populate, Prot } from "../abi/mman";
import { mmapReadLock, mmapReadUnlock } from "./mmapLock";
import { Outcome } from "./outcome";
import { reclaim } from "./reclaim";
import { serve } from "./serve";
import { treeRoot } from "./space";
import { findEndingAbove } from "./tree";
import { NEED_OOM, resultOf } from "./uaccess";
import {
  isAnonPrepared,
  PROT_MASK,
  prepareAnon,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_SHARED,
  vmaEnd,
  vmaFlags,
  vmaStart,
} from "./vma";

/** What one step answers for: go on at the next page, or behind a VMA that has no part in this. */
const SKIP: i64 = 1;

export function populateRange(cpu: usize, start: u64, end: u64, how: u32): i64 {
  let va = start & ~(<u64>4095);
  while (va < end) {
    mmapReadLock(cpu);
    const vma = findEndingAbove(treeRoot(cpu), va);
    const hole = vma == 0 || vmaStart(vma) > va;
    const next = vma == 0 ? end : hole ? vmaStart(vma) : vmaEnd(vma);
    const result = hole ? afterHole(how) : populatePage(cpu, vma, va, how);
    mmapReadUnlock(cpu);
    if (result == SKIP) va = next;
    else if (result == 0) va += 4096;
    else if (result != NEED_OOM || !reclaim(cpu)) return result;
  }
  return 0;
}

function afterHole(how: u32): i64 {
  return how == <u32>Populate.Touch || how == <u32>Populate.Locked ? SKIP : -Errno.ENOMEM;
}

function populatePage(cpu: usize, vma: usize, va: u64, how: u32): i64 {
  const flags = vmaFlags(vma);
  let access: u32 = Access.Read;
  if (how == <u32>Populate.Read) {
    if ((flags & Prot.Read) == 0) return -Errno.EINVAL;
  } else if (how == <u32>Populate.Write) {
    if ((flags & Prot.Write) == 0) return -Errno.EINVAL;
    access = Access.Write;
  } else {
    if ((flags & VM_LOCKONFAULT) != 0 || (how == <u32>Populate.Locked && (flags & VM_LOCKED) == 0)) return SKIP;
    if ((flags & PROT_MASK) == 0) return -Errno.EFAULT;
    if ((flags & (Prot.Write | VM_SHARED)) == <u32>Prot.Write) access = Access.Write;
    else if ((flags & Prot.Read) == 0 && (flags & Prot.Exec) != 0) access = Access.Exec;
  }
  if (access == <u32>Access.Write && !isAnonPrepared(vma)) prepareAnon(vma);
  let outcome: u32;
  do outcome = serve(cpu, vma, va, access);
  while (outcome >= <u32>Outcome.RetryDetached);
  return resultOf(<i32>outcome);
}
