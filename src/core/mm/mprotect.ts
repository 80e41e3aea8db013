/**
 * mprotect(2): replaces each VMA of the range by one with the new protection, splitting and merging, and takes rights
 * away from the entries that had them.
 *
 * Promise    after return no hart uses a right that was taken away. Rights given come with the next fault.
 * Algorithm  for each VMA: publish the replacement, mark the old one detached, change its entries under each table's
 *            lock, gather; one shootdown at the end if any right went.
 * Order      a permission-only change publishes first (design protocol 3). A fault that looked up the old VMA fails its
 *            commit; a fault that looks up the new one installs no more than the new rights.
 * Locks      takes mmapLock (write)
 * Errnos     in Linux's order
 *   EINVAL     PROT_GROWSDOWN with PROT_GROWSUP; unaligned start
 *   (0)        length 0
 *   ENOMEM     the range wraps or passes the address space
 *   EINVAL     unknown protection
 *   ENOMEM     nothing is mapped at the start
 *   EINVAL     PROT_GROWSDOWN and the first VMA does not grow; PROT_GROWSUP, which nothing does here
 *   EACCES     writing asked for a shared mapping of a file that was opened without
 *   ENOMEM     a hole (what lies before it is changed), RLIMIT_DATA, more than the memory, no record for a split
 * Linux      mm/mprotect.c:do_mprotect_pkey, mprotect_fixup
 */

import { Counter } from "../abi/counter";
import { Errno } from "../abi/errno";
import { Prot } from "../abi/mman";
import { isAccountable, isData, mayCommit, mayExpand } from "./accounts";
import { drainDeferred } from "./deferred";
import { gatherBegin, gatherFlush, gatherPage } from "./gather";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { count } from "./percpu";
import { entryAt, isMarker, PTE_HELD, PTE_RIGHTS, PTE_V, PTE_W, rightsOf, TASK_SIZE } from "./pte";
import { replaceLocked } from "./replace";
import { isZeroFrame } from "./serve";
import { treeRoot } from "./space";
import { lockTable, unlockTable } from "./table";
import { findEndingAbove } from "./tree";
import {
  PROT_MASK,
  V_RECORD,
  VM_ACCOUNT,
  VM_GROWSDOWN,
  VM_NOWRITE,
  VM_SHARED,
  vmaEnd,
  vmaFlags,
  vmaName,
  vmaStart,
} from "./vma";
import { walkLeaf } from "./walk";

const GROWS: u32 = Prot.GrowsDown | Prot.GrowsUp;
/** Pages of atomic instructions: accepted, and without effect (include/uapi/asm-generic/mman-common.h). */
const PROT_SEM: u32 = 8;

export function sysMprotect(cpu: usize, addr: u64, length: u64, prot: u32): i64 {
  count(cpu, Counter.Mprotects);
  const grows = prot & GROWS;
  if (grows == GROWS || (addr & 4095) != 0) return -Errno.EINVAL;
  if (length == 0) return 0;
  const bytes = (length + 4095) & ~(<u64>4095);
  if (addr > TASK_SIZE || length > TASK_SIZE - addr) return -Errno.ENOMEM;
  if ((prot & ~(PROT_MASK | PROT_SEM | GROWS)) != 0) return -Errno.EINVAL;
  mmapWriteLock(cpu);
  const result = protectLocked(cpu, addr, addr + bytes, prot & PROT_MASK, grows);
  mmapWriteUnlock(cpu);
  drainDeferred(cpu);
  return <i64>result;
}

function protectLocked(cpu: usize, start: u64, end: u64, prot: u32, grows: u32): i32 {
  const first = findEndingAbove(treeRoot(cpu), start);
  let at = start;
  if ((grows & Prot.GrowsDown) != 0) {
    if (first == 0 || vmaStart(first) >= end) return -Errno.ENOMEM;
    if ((vmaFlags(first) & VM_GROWSDOWN) == 0) return -Errno.EINVAL;
    at = vmaStart(first);
  } else if (grows != 0) return first == 0 || vmaStart(first) > start ? -Errno.ENOMEM : -Errno.EINVAL;
  let result = 0;
  gatherBegin(cpu);
  while (at < end && result == 0) {
    const vma = findEndingAbove(treeRoot(cpu), at);
    if (vma == 0 || vmaStart(vma) > at) {
      result = -Errno.ENOMEM;
      break;
    }
    const upTo = vmaEnd(vma) < end ? vmaEnd(vma) : end;
    const wanted = flagsFor(cpu, vma, (upTo - at) >> 12, prot);
    if (wanted < 0) {
      result = <i32>wanted;
      break;
    }
    const flags = <u32>wanted;
    if (flags != vmaFlags(vma)) result = replaceLocked(cpu, vma, at, upTo, flags, vmaName(vma));
    if (result == 0) changeEntries(cpu, at, upTo, rightsOf(prot));
    at = upTo;
  }
  gatherFlush(cpu);
  return result;
}

/** The flags of `pages` pages of `vma` under `prot`: private memory that becomes writable is charged. Or an errno. */
function flagsFor(cpu: usize, vma: usize, pages: u64, prot: u32): i64 {
  const old = vmaFlags(vma);
  let flags = (old & ~PROT_MASK) | prot;
  if ((prot & Prot.Write) == 0) return <i64>flags;
  if ((old & VM_NOWRITE) != 0) return -Errno.EACCES;
  if (isData(flags) && !isData(old) && !mayExpand(cpu, flags, pages) && mayExpand(cpu, old, pages))
    return -Errno.ENOMEM;
  if ((old & (VM_ACCOUNT | Prot.Write | VM_SHARED)) == 0 && isAccountable(flags, <usize>load<u32>(vma, V_RECORD))) {
    if (!mayCommit(cpu, pages)) return -Errno.ENOMEM;
    flags |= VM_ACCOUNT;
  }
  return <i64>flags;
}

/** Gives the entries of [start, end) at most `rights`; gathers the pages that lost one. */
function changeEntries(cpu: usize, start: u64, end: u64, rights: u64): void {
  let va = start;
  while (va < end) {
    const next = (va & ~(<u64>0x1f_ffff)) + 0x20_0000;
    const upTo = next < end ? next : end;
    const leaf = walkLeaf(cpu, va);
    if (leaf != 0) {
      lockTable(cpu, leaf);
      for (let page = va; page < upTo; page += 4096) changeEntry(cpu, entryAt(leaf, page, 0), page, rights);
      unlockTable(cpu, leaf);
    }
    va = upTo;
  }
}

/** One entry, by compare-and-swap: a hart may set A or D at any moment. Never grants write: the fault does. */
function changeEntry(cpu: usize, slot: usize, page: u64, rights: u64): void {
  let seen = atomic.load<u64>(slot);
  while (seen != 0 && !isMarker(seen)) {
    let allowed = rights;
    if ((seen & PTE_W) == 0 || isZeroFrame(seen)) allowed &= ~PTE_W;
    if ((allowed & (PTE_V | PTE_HELD)) == 0) allowed |= PTE_V;
    const entry = (seen & ~PTE_RIGHTS) | allowed;
    if (entry == seen) return;
    const found = atomic.cmpxchg<u64>(slot, seen, entry);
    if (found == seen) {
      if ((seen & PTE_RIGHTS & ~entry & ~PTE_HELD) != 0) gatherPage(cpu, page, 0);
      return;
    }
    seen = found;
  }
}
