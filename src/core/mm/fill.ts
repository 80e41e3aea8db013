/**
 * TLB fill: what a hart does on a miss. Walks the table, sets A and D, enters the translation; where the entry does not
 * allow the access, calls the fault and walks again.
 *
 * Promise    Exit.None: the access may be tried again from the start of the instruction. Nothing that was translated or
 *            fetched before the call is valid after it.
 * Ordering   entry read → TLB entry with interrupts off: a shootdown that began after the read waits for our
 *            acknowledgement, which we give only after the TLB entry is in place, and then drop it.
 * Tables     the walk is a section (section.ts): a table on the way may be unlinked, not freed. Under irq the interrupts
 *            that are off anyway are all it needs.
 * A and D    are set by compare-and-swap, as hardware does (privileged specification 4.3.2): an `or` could write into an
 *            entry just cleared. A page enters the TLB as writable only when it is writable and dirty.
 */
import { Counter } from "../abi/counter";
import { Access, Exit } from "../abi/exit";
import { irqOff, irqOn } from "../sync/env";
import { PAGE_MASK } from "../sync/layout";
import { poll } from "../sync/poll";
import { fetchSet, T_WRITE, tlbEntry, tlbSet } from "../sync/tlb";
import { fault } from "./fault";
import { count } from "./percpu";
import { allows, entryAt, PTE_A, PTE_D, PTE_W, ptePhys, TASK_SIZE } from "./pte";
import { walkBegin, walkEnd } from "./section";
import { walkLeaf } from "./walk";

export function fill(cpu: usize, va: u64, access: u32): i32 {
  while (true) {
    if (va < TASK_SIZE && fillFromTable(cpu, va, access)) return Exit.None;
    const result = fault(cpu, va, access);
    if (result != Exit.None) return result;
    // A fresh page is in the TLB since its commit, unless a flush took it away.
    if (access == Access.Write && load<u64>(tlbEntry(cpu, va), T_WRITE) == (va & PAGE_MASK)) return Exit.None;
  }
}

/** As a program that touches every page of [start, end): fills, and polls as guest code does at each loop's back edge. */
export function fillRange(cpu: usize, start: u64, end: u64, access: u32): i32 {
  return fillEvery(cpu, start, end, 4096, access);
}

/** The same, a page every `step` bytes: threads that touch a range in turn. */
export function fillEvery(cpu: usize, start: u64, end: u64, step: u64, access: u32): i32 {
  for (let va = start; va < end; va += step) {
    const exit = fill(cpu, va, access);
    if (exit != 0) return exit;
    poll(cpu);
  }
  return Exit.None;
}

/** True when the table allowed the access and the TLB has it now. */
function fillFromTable(cpu: usize, va: u64, access: u32): bool {
  irqOff(cpu);
  walkBegin(cpu);
  const leaf = walkLeaf(cpu, va);
  const filled = leaf != 0 && enter(cpu, entryAt(leaf, va, 0), va, access);
  walkEnd(cpu);
  irqOn(cpu);
  return filled;
}

function enter(cpu: usize, slot: usize, va: u64, access: u32): bool {
  let entry = atomic.load<u64>(slot);
  while (true) {
    if (!allows(entry, access)) return false;
    const marked = entry | (access == Access.Write ? PTE_A | PTE_D : PTE_A);
    if (marked == entry) break;
    const found = atomic.cmpxchg<u64>(slot, entry, marked);
    if (found == entry) {
      entry = marked;
      break;
    }
    entry = found;
  }
  count(cpu, Counter.TlbFills);
  if (access == Access.Exec) fetchSet(cpu, va, ptePhys(entry));
  else tlbSet(cpu, va, ptePhys(entry), allows(entry, Access.Read), (entry & PTE_W) != 0 && (entry & PTE_D) != 0);
  return true;
}
