/**
 * Faults a range in ahead of its use (MAP_POPULATE). Best effort, as Linux: the first page that cannot be had ends it.
 *
 * Locks      mmapLock for reading, a page at a time, under every policy. With it held no VMA is replaced, so a range that
 *            another thread unmapped meanwhile is seen as gone: nothing is mapped there, and no stack grows for it.
 * Linux      mm/gup.c:__mm_populate
 */

import { Access } from "../abi/exit";
import { Prot } from "../abi/mman";
import { mmapReadLock, mmapReadUnlock } from "./mmapLock";
import { Outcome } from "./outcome";
import { serve } from "./serve";
import { treeRoot } from "./space";
import { find } from "./tree";
import { isAnonPrepared, prepareAnon, vmaAllows } from "./vma";

export function populate(cpu: usize, start: u64, end: u64, prot: u32): void {
  if ((prot & (Prot.Read | Prot.Write)) == 0) return;
  const access: u32 = (prot & Prot.Write) != 0 ? Access.Write : Access.Read;
  for (let va = start; va < end; va += 4096) {
    if (populatePage(cpu, va, access) != <u32>Outcome.Done) return;
  }
}

function populatePage(cpu: usize, va: u64, access: u32): u32 {
  mmapReadLock(cpu);
  let outcome: u32 = Outcome.Fallback;
  const vma = find(treeRoot(cpu), va);
  if (vma != 0 && vmaAllows(vma, access)) {
    if (access == Access.Write && !isAnonPrepared(vma)) prepareAnon(vma);
    do outcome = serve(cpu, vma, va, access);
    while (outcome >= <u32>Outcome.RetryDetached);
  }
  mmapReadUnlock(cpu);
  return outcome;
}
