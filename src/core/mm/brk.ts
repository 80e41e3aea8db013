/**
 * brk(2), the raw call: moves the end of the heap and returns it; on any failure returns the old end.
 * Linux: mm/mmap.c:SYSCALL_DEFINE1(brk). Shrinking unmaps; growing maps anonymous read-write memory, within RLIMIT_DATA
 * (check_data_rlimit), RLIMIT_AS, RLIMIT_MEMLOCK after mlockall(MCL_FUTURE), and what there is of memory.
 */

import { Populate, Prot } from "../abi/mman";
import { mayCommit, mayExpand, mayLock } from "./accounts";
import { drainDeferred } from "./deferred";
import { insertLocked, unmapLocked } from "./mapping";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { populateRange } from "./populate";
import { TASK_SIZE } from "./pte";
import { S_BRK, S_BRK_START, S_FUTURE, S_LIMIT_DATA, spaceOf, treeRoot } from "./space";
import { findEndingAbove } from "./tree";
import { VM_ACCOUNT, VM_LOCKED, vmaStart } from "./vma";

/** The loader says where the heap begins. */
export function setBrk(cpu: usize, start: u64): void {
  store<u64>(spaceOf(cpu), start, S_BRK_START);
  store<u64>(spaceOf(cpu), start, S_BRK);
}

export function sysBrk(cpu: usize, addr: u64): i64 {
  mmapWriteLock(cpu);
  const old = load<u64>(spaceOf(cpu), S_BRK);
  const heap = addr - load<u64>(spaceOf(cpu), S_BRK_START);
  const within = addr < TASK_SIZE && heap <= load<u64>(spaceOf(cpu), S_LIMIT_DATA);
  if (addr >= load<u64>(spaceOf(cpu), S_BRK_START) && within && moveLocked(cpu, old, addr))
    store<u64>(spaceOf(cpu), addr, S_BRK);
  const now = load<u64>(spaceOf(cpu), S_BRK);
  const locked = (load<u32>(spaceOf(cpu), S_FUTURE) & VM_LOCKED) != 0;
  mmapWriteUnlock(cpu);
  drainDeferred(cpu);
  if (locked && now > old) populateRange(cpu, old, now, Populate.Locked);
  return <i64>now;
}

function moveLocked(cpu: usize, old: u64, wanted: u64): bool {
  const from = (old + 4095) & ~(<u64>4095);
  const upTo = (wanted + 4095) & ~(<u64>4095);
  if (upTo == from) return true;
  if (upTo < from) return unmapLocked(cpu, upTo, from) == 0;
  const next = findEndingAbove(treeRoot(cpu), from);
  if (next != 0 && vmaStart(next) < upTo + 4096) return false;
  const flags = Prot.Read | Prot.Write | VM_ACCOUNT | load<u32>(spaceOf(cpu), S_FUTURE);
  const pages = (upTo - from) >> 12;
  if (!mayLock(cpu, flags, pages) || !mayExpand(cpu, flags, pages) || !mayCommit(cpu, pages)) return false;
  return insertLocked(cpu, from, upTo, flags, 0, 0, 0) == 0;
}
