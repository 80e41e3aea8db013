/**
 * brk(2), the raw call: moves the end of the heap and returns it; on any failure returns the old end.
 * Linux: mm/mmap.c:SYSCALL_DEFINE1(brk). Shrinking unmaps; growing maps anonymous read-write memory.
 */

import { Prot } from "../abi/mman";
import { drainDeferred } from "./deferred";
import { insertLocked, unmapLocked } from "./mapping";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { TASK_SIZE } from "./pte";
import { S_BRK, S_BRK_START, spaceOf, treeRoot } from "./space";
import { findEndingAbove } from "./tree";
import { vmaStart } from "./vma";

/** The loader says where the heap begins. */
export function setBrk(cpu: usize, start: u64): void {
  store<u64>(spaceOf(cpu), start, S_BRK_START);
  store<u64>(spaceOf(cpu), start, S_BRK);
}

export function sysBrk(cpu: usize, addr: u64): i64 {
  mmapWriteLock(cpu);
  const old = load<u64>(spaceOf(cpu), S_BRK);
  if (addr >= load<u64>(spaceOf(cpu), S_BRK_START) && addr < TASK_SIZE && moveLocked(cpu, old, addr))
    store<u64>(spaceOf(cpu), addr, S_BRK);
  const now = load<u64>(spaceOf(cpu), S_BRK);
  mmapWriteUnlock(cpu);
  drainDeferred(cpu);
  return <i64>now;
}

function moveLocked(cpu: usize, old: u64, wanted: u64): bool {
  const from = (old + 4095) & ~(<u64>4095);
  const upTo = (wanted + 4095) & ~(<u64>4095);
  if (upTo == from) return true;
  if (upTo < from) return unmapLocked(cpu, upTo, from) == 0;
  const next = findEndingAbove(treeRoot(cpu), from);
  if (next != 0 && vmaStart(next) < upTo + 4096) return false;
  return insertLocked(cpu, from, upTo, Prot.Read | Prot.Write, 0, 0, 0) == 0;
}
