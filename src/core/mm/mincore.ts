/**
 * mincore(2): which pages of a range are in memory.
 *
 * Promise    a byte is 1 when the page's entry led to a frame at some moment of the call, or its object's cache had the page.
 *            Anonymous memory that was never touched is 0, a guard page too.
 * Locks      takes mmapLock (read): tables and VMAs stay; an entry is read as it is at that moment.
 * Errnos     -ENOMEM a hole. Alignment and the vector are the caller's to check (mm/mincore.c:SYSCALL_DEFINE3(mincore)).
 * Linux      mm/mincore.c:do_mincore, mincore_pte_range
 */
import { Errno } from "../abi/errno";
import { isCached } from "./cache";
import { mmapReadLock, mmapReadUnlock } from "./mmapLock";
import { entryAt, isMarker } from "./pte";
import { treeRoot } from "./space";
import { find } from "./tree";
import { pageIndex, V_RECORD, vmaEnd } from "./vma";
import { walkLeaf } from "./walk";

/** Writes a byte for each of `pages` pages from `addr` on to `out`. */
export function sysMincore(cpu: usize, addr: u64, pages: u32, out: usize): i64 {
  mmapReadLock(cpu);
  let result: i64 = 0;
  let vma: usize = 0;
  for (let i: u32 = 0; i < pages; i++) {
    const va = addr + ((<u64>i) << 12);
    if (vma == 0 || va >= vmaEnd(vma)) vma = find(treeRoot(cpu), va);
    if (vma == 0) {
      result = -Errno.ENOMEM;
      break;
    }
    store<u8>(out + <usize>i, isResident(cpu, vma, va) ? 1 : 0);
  }
  mmapReadUnlock(cpu);
  return result;
}

function isResident(cpu: usize, vma: usize, va: u64): bool {
  const leaf = walkLeaf(cpu, va);
  const entry: u64 = leaf == 0 ? 0 : atomic.load<u64>(entryAt(leaf, va, 0));
  if (entry != 0 && !isMarker(entry)) return true;
  const object = <usize>load<u32>(vma, V_RECORD);
  return object != 0 && isCached(object, pageIndex(vma, va));
}
