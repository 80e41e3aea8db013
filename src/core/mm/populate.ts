/** Faults a range in ahead of its use (MAP_POPULATE, stack of a new thread). Best effort: the first failure ends it. */
import { Access } from "../abi/exit";
import { Prot } from "../abi/mman";
import { fault } from "./fault";

export function populate(cpu: usize, start: u64, end: u64, prot: u32): void {
  if ((prot & (Prot.Read | Prot.Write)) == 0) return;
  const access: u32 = (prot & Prot.Write) != 0 ? Access.Write : Access.Read;
  for (let va = start; va < end; va += 4096) {
    if (fault(cpu, va, access) != 0) return;
  }
}
