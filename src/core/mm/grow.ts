/**
 * Stack growth: a fault just below a GROWSDOWN VMA extends it. Linux: mm/mmap.c:expand_downwards.
 * Takes mmapLock (write): here a VMA is replaced, never edited. The old VMA's faults retry; its entries stay.
 */

import { mayExpand, mayLock } from "./accounts";
import { growLocked } from "./mapping";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { S_STACK_LIMIT, STACK_GUARD, spaceOf, treeRoot } from "./space";
import { find, findEndingAbove, findStartingBelow } from "./tree";
import { PROT_MASK, VM_GROWSDOWN, vmaEnd, vmaFlags, vmaStart } from "./vma";

/** True when va is mapped now, by this call or another. */
export function growStack(cpu: usize, va: u64): bool {
  const page = va & ~(<u64>4095);
  mmapWriteLock(cpu);
  const root = treeRoot(cpu);
  let grown: bool = find(root, va) != 0;
  if (!grown) {
    const stack = findEndingAbove(root, va);
    if (stack != 0 && mayGrow(cpu, root, stack, page)) grown = growLocked(cpu, stack, page);
  }
  mmapWriteUnlock(cpu);
  return grown;
}

/** Within RLIMIT_STACK, RLIMIT_AS and, for locked memory, RLIMIT_MEMLOCK (mm/mmap.c:acct_stack_growth), and clear of what lies below by the guard gap unless that is inaccessible or a stack itself. */
function mayGrow(cpu: usize, root: usize, stack: usize, page: u64): bool {
  if ((vmaFlags(stack) & VM_GROWSDOWN) == 0) return false;
  if (vmaEnd(stack) - page > load<u64>(spaceOf(cpu), S_STACK_LIMIT)) return false;
  const more = (vmaStart(stack) - page) >> 12;
  if (!mayExpand(cpu, vmaFlags(stack), more) || !mayLock(cpu, vmaFlags(stack), more)) return false;
  const below = findStartingBelow(root, vmaStart(stack));
  if (below == 0) return page >= STACK_GUARD;
  const flags = vmaFlags(below);
  if ((flags & VM_GROWSDOWN) != 0 || (flags & PROT_MASK) == 0) return page >= vmaEnd(below);
  return page >= vmaEnd(below) + STACK_GUARD;
}
