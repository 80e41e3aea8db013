/**
 * msync(2): the walk. The core says which parts of which objects the range maps for sharing; the caller writes their dirty pages
 * to the files, holding nothing, and comes back for the next.
 *
 *   out   {next:u64@0, from:u64@8, upTo:u64@16, object:u32@24, hole:u32@28}
 *         next: where to go on; [from, upTo): bytes of the object; hole: 1 once the range had one
 *
 * Results    1 a part of a shared object;  0 the end;  an errno
 *   EBUSY    MS_INVALIDATE of locked memory
 *   ENOMEM   a hole: at once under MS_ASYNC alone or when nothing follows it; else, by the caller, at the end
 * Locks      takes mmapLock (read), for one step
 * Linux      mm/msync.c:SYSCALL_DEFINE3(msync); flags, alignment and wrap-around are checked before by the caller
 */
import { Errno } from "../abi/errno";
import { MsyncFlag } from "../abi/mman";
import { mmapReadLock, mmapReadUnlock } from "./mmapLock";
import { treeRoot } from "./space";
import { findEndingAbove } from "./tree";
import { V_OBJECT, V_OFFSET, VM_LOCKED, VM_SHARED, vmaEnd, vmaFlags, vmaStart } from "./vma";

export function msyncNext(cpu: usize, start: u64, end: u64, flags: u32, out: usize): i64 {
  mmapReadLock(cpu);
  const result = nextLocked(cpu, start, end, flags, out);
  mmapReadUnlock(cpu);
  return result;
}

function nextLocked(cpu: usize, start: u64, end: u64, flags: u32, out: usize): i64 {
  let at = start;
  while (at < end) {
    const vma = findEndingAbove(treeRoot(cpu), at);
    if (vma == 0) return -Errno.ENOMEM;
    if (vmaStart(vma) > at) {
      if (flags == <u32>MsyncFlag.Async || vmaStart(vma) >= end) return -Errno.ENOMEM;
      at = vmaStart(vma);
      store<u32>(out, 1, 28);
    }
    if ((flags & MsyncFlag.Invalidate) != 0 && (vmaFlags(vma) & VM_LOCKED) != 0) return -Errno.EBUSY;
    const upTo = vmaEnd(vma) < end ? vmaEnd(vma) : end;
    const shared = load<u32>(vma, V_OBJECT) != 0 && (vmaFlags(vma) & VM_SHARED) != 0;
    if (shared && (flags & MsyncFlag.Sync) != 0) {
      const offset = load<u64>(vma, V_OFFSET) - vmaStart(vma);
      store<u64>(out, vmaEnd(vma));
      store<u64>(out, at + offset, 8);
      store<u64>(out, upTo + offset, 16);
      store<u32>(out, load<u32>(vma, V_OBJECT), 24);
      return 1;
    }
    at = vmaEnd(vma);
  }
  return 0;
}
