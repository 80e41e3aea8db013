/**
 * remap_file_pages(2): part of a shared mapping shows other pages of its object. As Linux since 4.0 it makes a mapping of its own for
 * them: there are no non-linear VMAs.
 *
 * Promise    0: the range shows the object from page `pgoff` on, with the rights and locks it had. Pages come with their first access.
 * Locks      takes mmapLock (write)
 * Errnos     EINVAL a protection; the range is empty or wraps; the page offset wraps; not wholly in shared mappings of one object that
 *            are alike; flags are not looked at. ENOMEM no records
 * Linux      mm/mmap.c:SYSCALL_DEFINE5(remap_file_pages)
 */
import { Errno } from "../abi/errno";
import { drainDeferred } from "./deferred";
import { insertLocked, unmapLocked } from "./mapping";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { getObject, putObject } from "./object";
import { treeRoot } from "./space";
import { find, findEndingAbove } from "./tree";
import { V_OBJECT, VM_SHARED, vmaEnd, vmaFlags, vmaStart } from "./vma";

export function sysRemapFilePages(cpu: usize, addr: u64, length: u64, prot: u64, pgoff: u64): i64 {
  const start = addr & ~(<u64>4095);
  const end = start + (length & ~(<u64>4095));
  if (prot != 0 || end <= start || pgoff + ((end - start) >> 12) < pgoff) return -Errno.EINVAL;
  mmapWriteLock(cpu);
  const result = remapLocked(cpu, start, end, pgoff << 12);
  mmapWriteUnlock(cpu);
  drainDeferred(cpu);
  return <i64>result;
}

function remapLocked(cpu: usize, start: u64, end: u64, offset: u64): i32 {
  const vma = find(treeRoot(cpu), start);
  if (vma == 0 || (vmaFlags(vma) & VM_SHARED) == 0 || !isAlike(cpu, vma, end)) return -Errno.EINVAL;
  const flags = vmaFlags(vma);
  const id = load<u32>(vma, V_OBJECT);
  // The object may not go with the mapping that leaves.
  const object = getObject(cpu, id);
  if (object == 0) return -Errno.EINVAL;
  let failed = unmapLocked(cpu, start, end);
  if (failed == 0) failed = insertLocked(cpu, start, end, flags, id, offset, object);
  putObject(cpu, object);
  return failed;
}

/** Whether the mappings from `vma` on, without a hole, reach to `end` and are of the same object with the same flags. */
function isAlike(cpu: usize, vma: usize, end: u64): bool {
  let last = vma;
  while (vmaEnd(last) < end) {
    const next = findEndingAbove(treeRoot(cpu), vmaEnd(last));
    if (next == 0 || vmaStart(next) != vmaEnd(last)) return false;
    if (load<u32>(next, V_OBJECT) != load<u32>(vma, V_OBJECT) || vmaFlags(next) != vmaFlags(vma)) return false;
    last = next;
  }
  return true;
}
