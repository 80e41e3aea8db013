/**
 * The second half of a fault on a file page: the host has read it, nothing was held meanwhile.
 *
 * The VMA is looked up anew: the file may have been unmapped, the place mapped again. Only if the same object at the
 * same offset is still there, and the slot still empty, is the page installed; else there is nothing to do, and the
 * instruction that starts again finds what is true now.
 */

import { Bug } from "../abi/bug";
import { Counter } from "../abi/counter";
import { bug, rcuEnter, rcuExit } from "../sync/env";
import { memoryBytes } from "../sync/layout";
import { allocFrame, freeFrame, TYPE_DATA } from "./frame";
import { Outcome } from "./outcome";
import { count, P_IO_ADDRESS, P_IO_OBJECT, P_IO_OFFSET } from "./percpu";
import { makeEntry, PTE_A, rightsOf } from "./pte";
import { reclaim } from "./reclaim";
import { walkBegin, walkEnd } from "./section";
import { install } from "./serve";
import { treeRoot } from "./space";
import { find } from "./tree";
import { PROT_MASK, V_OBJECT, V_OFFSET, vmaFlags, vmaStart } from "./vma";
import { ensureTables, walkLeaf } from "./walk";

export function ioObject(cpu: usize): u32 {
  return load<u32>(cpu, P_IO_OBJECT);
}

export function ioOffset(cpu: usize): u64 {
  return load<u64>(cpu, P_IO_OFFSET);
}

export function ioAddress(cpu: usize): u64 {
  return load<u64>(cpu, P_IO_ADDRESS);
}

/** Installs 4096 bytes at `source` as the page asked for. Exit.None (installed, or overtaken) or Exit.Oom. */
export function commitFilePage(cpu: usize, va: u64, source: usize): i32 {
  if (source + 4096 > <usize>memoryBytes() || source < 4096) bug(cpu, Bug.commitFilePage_source_outside_memory);
  while (true) {
    const outcome = commitOnce(cpu, va & ~(<u64>4095), source);
    if (outcome != <u32>Outcome.Oom) return 0;
    if (!reclaim(cpu)) return Outcome.Oom;
  }
}

function commitOnce(cpu: usize, page: u64, source: usize): u32 {
  const frame = allocFrame(cpu, TYPE_DATA);
  if (frame == 0) return Outcome.Oom;
  memory.copy(frame, source, 4096);
  rcuEnter(cpu);
  const vma = find(treeRoot(cpu), page);
  let outcome: u32 = Outcome.RetryDetached;
  if (vma != 0 && load<u32>(vma, V_OBJECT) == ioObject(cpu)) {
    if (load<u64>(vma, V_OFFSET) + (page - vmaStart(vma)) == ioOffset(cpu)) {
      outcome = ensureTables(cpu, vma, page);
      if (outcome == <u32>Outcome.Done) {
        walkBegin(cpu);
        const leaf = walkLeaf(cpu, page);
        walkEnd(cpu);
        const entry = makeEntry(frame, rightsOf(vmaFlags(vma) & PROT_MASK) | PTE_A);
        outcome = leaf == 0 ? Outcome.RetryDead : install(cpu, leaf, vma, page, entry);
      }
    }
  }
  rcuExit(cpu);
  if (outcome != <u32>Outcome.Done) freeFrame(cpu, frame);
  else count(cpu, Counter.FaultsFile);
  return outcome;
}
