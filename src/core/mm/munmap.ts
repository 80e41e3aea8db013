/**
 * munmap(2).
 *
 * Promise    after return every access to the range faults, on every CPU; its frames are free, its tables retired.
 * Locks      takes mmapLock (write); mapping.ts does the work. Once the VMAs are out of the tree the lock is downgraded:
 *            faults go on beside the zapping, and nobody can map into the hole before it ends.
 * Errnos     EINVAL start not page-aligned, length 0, or past the address space; ENOMEM a split without memory
 * Linux      mm/mmap.c:__vm_munmap
 */

import { Counter } from "../abi/counter";
import { Errno } from "../abi/errno";
import { drainDeferred } from "./deferred";
import { clearRange, removeLocked } from "./mapping";
import { mmapDowngrade, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import { count } from "./percpu";
import { TASK_SIZE } from "./pte";

export function sysMunmap(cpu: usize, addr: u64, length: u64): i64 {
  count(cpu, Counter.Munmaps);
  const bytes = (length + 4095) & ~(<u64>4095);
  if ((addr & 4095) != 0 || addr > TASK_SIZE || length > TASK_SIZE - addr || bytes == 0) return -Errno.EINVAL;
  mmapWriteLock(cpu);
  const result = removeLocked(cpu, addr, addr + bytes);
  if (result <= 0) {
    mmapWriteUnlock(cpu);
    return <i64>result;
  }
  mmapDowngrade(cpu);
  clearRange(cpu, addr, addr + bytes);
  mmapReadUnlock(cpu);
  drainDeferred(cpu);
  return 0;
}
