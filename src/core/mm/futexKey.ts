/**
 * What a futex that is not private is known by: the place in an object when its page is a shared mapping's, else the
 * address in its space (futex(2); Linux kernel/futex/core.c:get_futex_key).
 *
 * No page is touched: which mapping an address belongs to is the VMA's to say, looked up under RCU as a fault does. A change
 * of the mapping beside the call is the program's race.
 */
import { Errno } from "../abi/errno";
import { rcuEnter, rcuExit } from "../sync/env";
import { findVma } from "./lookup";
import { P_KEY_OFFSET } from "./percpu";
import { TASK_SIZE } from "./pte";
import { V_OBJECT, V_OFFSET, VM_SHARED, vmaFlags, vmaStart } from "./vma";

/** The object, or 0 when the address itself is the key, or -EFAULT when nothing is mapped there. futexOffset() says where in it. */
export function futexObject(cpu: usize, va: u64): i64 {
  if (va >= TASK_SIZE) return -Errno.EFAULT;
  rcuEnter(cpu);
  const vma = findVma(cpu, va);
  let result: i64 = vma == 0 ? -Errno.EFAULT : 0;
  if (vma != 0 && (vmaFlags(vma) & VM_SHARED) != 0) {
    result = <i64>load<u32>(vma, V_OBJECT);
    store<u64>(cpu, load<u64>(vma, V_OFFSET) + (va - vmaStart(vma)), P_KEY_OFFSET);
  }
  rcuExit(cpu);
  return result;
}

export function futexOffset(cpu: usize): u64 {
  return load<u64>(cpu, P_KEY_OFFSET);
}
