/**
 * Copies between host-side memory and guest memory: the same translation and the same faults as the guest's own accesses,
 * page by page. Guest values are read once. A fault of copyFromUser and copyToUser is the kernel's, on behalf of a system
 * call; policies spf and vma-lock serve those under mmapLock, as Linux does.
 *
 * Results    0; -EFAULT; NEED_IO or NEED_OOM: the caller serves the file page (Exit.Io) or gives up, and calls again
 *            from the start.
 * Linux      copy_from_user, copy_to_user
 */
import { Errno } from "../abi/errno";
import { Access, Exit } from "../abi/exit";
import { irqOff, irqOn } from "../sync/env";
import { T_PHYS, T_READ, T_WRITE, tlbEntry } from "../sync/tlb";
import { fill } from "./fill";
import { P_KERNEL } from "./percpu";
import { TASK_SIZE } from "./pte";

export const NEED_IO: i64 = -4100;
export const NEED_OOM: i64 = -4101;
const PAGE: u64 = ~(<u64>4095);

export function copyFromUser(cpu: usize, target: usize, va: u64, length: u32): i64 {
  store<u32>(cpu, 1, P_KERNEL);
  const result = copy(cpu, va, target, length, Access.Read);
  store<u32>(cpu, 0, P_KERNEL);
  return result;
}

export function copyToUser(cpu: usize, va: u64, source: usize, length: u32): i64 {
  store<u32>(cpu, 1, P_KERNEL);
  const result = copy(cpu, va, source, length, Access.Write);
  store<u32>(cpu, 0, P_KERNEL);
  return result;
}

/** As copyFromUser, but the program's own access: an embedder's emulated load. */
export function guestRead(cpu: usize, target: usize, va: u64, length: u32): i64 {
  return copy(cpu, va, target, length, Access.Read);
}

/** As copyToUser, but the program's own access: an embedder's emulated store. */
export function guestWrite(cpu: usize, va: u64, source: usize, length: u32): i64 {
  return copy(cpu, va, source, length, Access.Write);
}

function copy(cpu: usize, va: u64, host: usize, length: u32, access: u32): i64 {
  if (va >= TASK_SIZE || <u64>length > TASK_SIZE - va) return length == 0 ? 0 : -Errno.EFAULT;
  let done: u32 = 0;
  while (done < length) {
    const at = va + done;
    // Interrupts off from the TLB to the copy's end: once this CPU has acknowledged a flush, the frame may be freed.
    irqOff(cpu);
    const phys = resident(cpu, at, access);
    if (phys == 0) {
      irqOn(cpu);
      const failed = touch(cpu, at, access);
      if (failed != 0) return failed;
      continue;
    }
    const inPage: u32 = 4096 - <u32>(at & 4095);
    const n: u32 = length - done < inPage ? length - done : inPage;
    if (access == Access.Write) memory.copy(phys, host + done, n);
    else memory.copy(host + done, phys, n);
    irqOn(cpu);
    done += n;
  }
  return 0;
}

/** The physical address of va if this CPU's TLB has it for the access, else 0. Never faults. */
export function resident(cpu: usize, va: u64, access: u32): usize {
  const e = tlbEntry(cpu, va);
  const tag = access == Access.Write ? load<u64>(e, T_WRITE) : load<u64>(e, T_READ);
  if (tag != (va & PAGE)) return 0;
  return <usize>load<u32>(e, T_PHYS) + <usize>(va & 4095);
}

/** Makes va resident; 0, -EFAULT, NEED_IO or NEED_OOM. */
export function touch(cpu: usize, va: u64, access: u32): i64 {
  return resultOf(fill(cpu, va, access));
}

/** What a copy answers when a fault ended in `result`. */
export function resultOf(result: i32): i64 {
  if (result == Exit.None) return 0;
  if (result == Exit.Io) return NEED_IO;
  if (result == Exit.Oom) return NEED_OOM;
  return -Errno.EFAULT;
}
