/**
 * munmap(2).
 *
 * Promise    after return every access to the range faults, on every CPU; its frames are free, its tables retired.
 * Locks      takes mmapLock (write); mapping.ts does the work
 * Errnos     EINVAL start not page-aligned, length 0, or past the address space; ENOMEM a split without memory
 * Linux      mm/mmap.c:__vm_munmap
 */
import { Counter } from "../abi/counter";
import { Errno } from "../abi/errno";
import { writeLock, writeUnlock } from "../sync/rwlock";
import { drainDeferred } from "./deferred";
import { unmapLocked } from "./mapping";
import { count } from "./percpu";
import { TASK_SIZE } from "./pte";
import { MMAP_LOCK } from "./space";

export function sysMunmap(cpu: usize, addr: u64, length: u64): i64 {
  count(cpu, Counter.Munmaps);
  const bytes = (length + 4095) & ~(<u64>4095);
  if ((addr & 4095) != 0 || addr > TASK_SIZE || length > TASK_SIZE - addr || bytes == 0) return -Errno.EINVAL;
  writeLock(cpu, MMAP_LOCK);
  const result = unmapLocked(cpu, addr, addr + bytes);
  writeUnlock(cpu, MMAP_LOCK);
  drainDeferred(cpu);
  return <i64>result;
}
