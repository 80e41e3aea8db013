/**
 * madvise(2). DONTNEED zaps: the next access finds zeroes, or the file's contents. The others listed are hints here.
 *
 * Locks      DONTNEED takes mmapLock for reading: VMAs stay, so faults of other policies go on beside it; each table's
 *            lock orders the two, and the shootdown ends before any frame is freed.
 * Errnos     EINVAL unaligned start, or advice unknown; ENOMEM a hole in the range (the rest is done)
 * Linux      mm/madvise.c:do_madvise
 */

import { Errno } from "../abi/errno";
import { Advice } from "../abi/mman";
import { drainDeferred } from "./deferred";
import { gatherBegin, gatherFlush } from "./gather";
import { mmapReadLock, mmapReadUnlock } from "./mmapLock";
import { TASK_SIZE } from "./pte";
import { treeRoot } from "./space";
import { findEndingAbove } from "./tree";
import { vmaEnd, vmaStart } from "./vma";
import { ALL, zapRange } from "./zap";

export function sysMadvise(cpu: usize, addr: u64, length: u64, advice: u32): i64 {
  if (!isKnown(advice) || (addr & 4095) != 0) return -Errno.EINVAL;
  const bytes = (length + 4095) & ~(<u64>4095);
  if (bytes == 0) return length == 0 ? 0 : -Errno.EINVAL;
  if (addr > TASK_SIZE || bytes > TASK_SIZE - addr) return -Errno.ENOMEM;
  mmapReadLock(cpu);
  let at = addr;
  let result: i64 = 0;
  while (at < addr + bytes) {
    const vma = findEndingAbove(treeRoot(cpu), at);
    if (vma == 0 || vmaStart(vma) > at) result = -Errno.ENOMEM;
    if (vma == 0 || vmaStart(vma) >= addr + bytes) break;
    const from = vmaStart(vma) > at ? vmaStart(vma) : at;
    const upTo = vmaEnd(vma) < addr + bytes ? vmaEnd(vma) : addr + bytes;
    if (advice == Advice.DontNeed) {
      gatherBegin(cpu);
      zapRange(cpu, from, upTo, false, ALL);
      gatherFlush(cpu);
    }
    at = upTo;
  }
  mmapReadUnlock(cpu);
  drainDeferred(cpu);
  return result;
}

/** Advice whose only lawful effect here is none: access patterns, huge pages, dumps. */
function isKnown(advice: u32): bool {
  if (advice <= <u32>Advice.DontNeed) return true;
  return advice == 8 || (advice >= 14 && advice <= 17) || advice == 20 || advice == 21;
}
