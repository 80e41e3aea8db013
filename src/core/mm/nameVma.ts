/**
 * prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME): names anonymous memory.
 *
 * Promise    every VMA of the range has the name, or none; neighbours that become equal are one. The text was checked.
 * Locks      takes mmapLock (write)
 * Errnos     EINVAL unaligned start, the length or the range wraps; ENOMEM no record for the name; EBADF a file's mapping (what lies
 *            before it is named); EAGAIN no record for a split; ENOMEM a hole (the rest is named)
 * Linux      mm/madvise.c:madvise_set_anon_name, madvise_vma_anon_name
 */
import { Errno } from "../abi/errno";
import { drainDeferred } from "./deferred";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { dropName, NAME_MAX, newName, sameName } from "./name";
import { replaceLocked } from "./replace";
import { treeRoot } from "./space";
import { findEndingAbove } from "./tree";
import { V_OBJECT, VM_SHARED, vmaEnd, vmaFlags, vmaName, vmaStart } from "./vma";

/** `text`: `length` bytes in host-side memory, at most 79; 0 takes the name away. */
export function nameVma(cpu: usize, addr: u64, length: u64, text: usize, textLength: u32): i64 {
  if (textLength > NAME_MAX) return -Errno.EINVAL;
  const name: usize = text == 0 ? 0 : newName(cpu, text, textLength);
  if (text != 0 && name == 0) return -Errno.ENOMEM;
  const bytes = (length + 4095) & ~(<u64>4095);
  const end = addr + bytes;
  let result: i64 = 0;
  if ((addr & 4095) != 0 || (length != 0 && bytes == 0) || end < addr) result = -Errno.EINVAL;
  else {
    mmapWriteLock(cpu);
    result = nameLocked(cpu, addr, end, name);
    mmapWriteUnlock(cpu);
    drainDeferred(cpu);
  }
  dropName(cpu, name);
  return result;
}

function nameLocked(cpu: usize, start: u64, end: u64, name: usize): i64 {
  let at = start;
  let unmapped: i64 = 0;
  while (at < end) {
    const vma = findEndingAbove(treeRoot(cpu), at);
    if (vma == 0 || vmaStart(vma) > at) unmapped = -Errno.ENOMEM;
    if (vma == 0 || vmaStart(vma) >= end) break;
    const from = vmaStart(vma) > at ? vmaStart(vma) : at;
    at = vmaEnd(vma) < end ? vmaEnd(vma) : end;
    if (load<u32>(vma, V_OBJECT) != 0 && (vmaFlags(vma) & VM_SHARED) == 0) return -Errno.EBADF;
    if (sameName(vmaName(vma), name)) continue;
    if (replaceLocked(cpu, vma, from, at, vmaFlags(vma), name) != 0) return -Errno.EAGAIN;
  }
  return unmapped;
}
