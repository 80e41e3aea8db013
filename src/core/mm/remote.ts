/**
 * Copies from and to the memory of a space by a CPU that does not run it: outside its cpumask, as for
 * process_vm_readv(2) and ptrace(2). The CPU's own TLB takes no part.
 *
 * Promise    what is copied to or from a page is the page's own: never a frame's next owner's.
 * Results    as mm/uaccess.ts. A page that is not there is brought in, by the fault, as the kernel's own.
 * Algorithm  a page at a time: find the leaf table, lock it, see that it is not dead and its entry allows the access, copy
 *            under the lock; else fault, and look again.
 * Data       design protocol 5. No shootdown waits for this CPU, so nothing but the leaf's lock keeps the frame: who takes an
 *            entry away holds that lock, and frees the frame after. No pin is taken and no reference counted.
 * Tables     rcu: a reader section from the walk until the lock. irq: interrupts off would hold nobody up, for the round of
 *            IPIs does not come here; so mmapLock for reading, and a VMA of va: its tables stay (section.ts).
 * Race       | munmap                        | remote copy
 *            | lock leaf; swap the entry; unlock  | lock leaf; entry there? copy; unlock
 *            | flush: this CPU is not asked  |
 *            | free the frame                |     either it copied before the swap, or the entry is gone
 * Linux      mm/gup.c:get_user_pages_remote, which pins the frame; mm/memory.c:__access_remote_vm
 * Checked by check/scenarios/remote-munmap, remote-write-munmap, remote-dontneed, remote-fault, remote-mprotect
 */
import { Errno } from "../abi/errno";
import { Access } from "../abi/exit";
import { rcuEnter, rcuExit } from "../sync/env";
import { tlbFlushRange } from "../sync/tlb";
import { fault } from "./fault";
import { findVma } from "./lookup";
import { mmapReadLock, mmapReadUnlock } from "./mmapLock";
import { P_KERNEL } from "./percpu";
import { allows, entryAt, PTE_A, PTE_D, ptePhys, TASK_SIZE } from "./pte";
import { tablesIrq, walkBegin, walkEnd } from "./section";
import { enterSpace } from "./space";
import { lockTable, unlockTable } from "./table";
import { resultOf } from "./uaccess";
import { lockWalked, walkLeaf } from "./walk";

const PAGE: u64 = ~(<u64>4095);

/** From `va` in `space` to host-side memory. The caller holds a reference to the space. */
export function remoteRead(cpu: usize, space: usize, target: usize, va: u64, length: u32): i64 {
  return copyIn(cpu, space, va, target, length, Access.Read);
}

export function remoteWrite(cpu: usize, space: usize, va: u64, source: usize, length: u32): i64 {
  return copyIn(cpu, space, va, source, length, Access.Write);
}

/** The CPU acts on the other space for the length of the copy. */
function copyIn(cpu: usize, space: usize, va: u64, host: usize, length: u32, access: u32): i64 {
  const home = enterSpace(cpu, space);
  const result = copy(cpu, va, host, length, access);
  enterSpace(cpu, home);
  return result;
}

function copy(cpu: usize, va: u64, host: usize, length: u32, access: u32): i64 {
  if (va >= TASK_SIZE || <u64>length > TASK_SIZE - va) return length == 0 ? 0 : -Errno.EFAULT;
  let done: u32 = 0;
  let failed: i64 = 0;
  store<u32>(cpu, 1, P_KERNEL);
  while (done < length && failed == 0) {
    const at = va + done;
    const inPage: u32 = 4096 - <u32>(at & 4095);
    const n: u32 = length - done < inPage ? length - done : inPage;
    if (copyPresent(cpu, at, host + done, n, access)) done += n;
    else failed = bringIn(cpu, at, access);
  }
  store<u32>(cpu, 0, P_KERNEL);
  return failed;
}

/** The fault enters what it maps in the TLB of its CPU: here nobody would ever flush it. Nothing is read through it before. */
function bringIn(cpu: usize, va: u64, access: u32): i64 {
  const result = resultOf(fault(cpu, va, access));
  tlbFlushRange(cpu, va & PAGE, (va & PAGE) + 4096);
  return result;
}

/** False: the page is not there, or not for this access. */
function copyPresent(cpu: usize, va: u64, host: usize, n: u32, access: u32): bool {
  if (tablesIrq()) return copyUnderMmapLock(cpu, va, host, n, access);
  rcuEnter(cpu);
  walkBegin(cpu);
  const leaf = walkLeaf(cpu, va);
  walkEnd(cpu);
  let copied: bool = false;
  if (leaf != 0 && lockWalked(cpu, leaf, va, 0)) copied = copyAndUnlock(cpu, leaf, va, host, n, access);
  rcuExit(cpu);
  return copied;
}

function copyUnderMmapLock(cpu: usize, va: u64, host: usize, n: u32, access: u32): bool {
  let copied: bool = false;
  mmapReadLock(cpu);
  const leaf: usize = findVma(cpu, va) != 0 ? walkLeaf(cpu, va) : 0;
  if (leaf != 0) {
    lockTable(cpu, leaf);
    copied = copyAndUnlock(cpu, leaf, va, host, n, access);
  }
  mmapReadUnlock(cpu);
  return copied;
}

function copyAndUnlock(cpu: usize, leaf: usize, va: u64, host: usize, n: u32, access: u32): bool {
  const phys = frameLocked(leaf, va, access);
  if (phys != 0) {
    if (access == Access.Write) memory.copy(phys, host, n);
    else memory.copy(host, phys, n);
  }
  unlockTable(cpu, leaf);
  return phys != 0;
}

/** Where va is, 0 if the entry does not allow the access. Marks it as a hart does: only harts change it meanwhile, A and D. */
function frameLocked(leaf: usize, va: u64, access: u32): usize {
  const slot = entryAt(leaf, va, 0);
  const marks = access == Access.Write ? PTE_A | PTE_D : PTE_A;
  let entry = atomic.load<u64>(slot);
  while (true) {
    if (!allows(entry, access)) return 0;
    if ((entry & marks) == marks) break;
    const found = atomic.cmpxchg<u64>(slot, entry, entry | marks);
    if (found == entry) break;
    entry = found;
  }
  return ptePhys(entry) + <usize>(va & 4095);
}
