/**
 * Looks into a space from outside: /proc/PID/maps, status, statm. By a worker, or by the host's own thread on the service CPU.
 *
 * Promise    each answer is true at one moment; two answers may be of two, as two reads of /proc/PID/maps are.
 * Locks      mmapLock of that space for reading: no VMA comes or goes, and tables below VMAs stay. Who asks holds a reference to
 *            the space (lifecycle.ts).
 * Linux      fs/proc/task_mmu.c:show_map_vma, task_mem
 */

import { Prot } from "../abi/mman";
import { MapKind, Usage } from "../abi/stat";
import { isCachedPage } from "./frame";
import { mmapReadLock, mmapReadUnlock } from "./mmapLock";
import { nameText } from "./name";
import { KIND_SHMEM, O_KIND } from "./object";
import { entryAt, entrySpan, LEVELS, PTE_HELD, PTE_V, ptePhys } from "./pte";
import { isZeroFrame } from "./serve";
import { enterSpace, pgd, S_BRK, S_BRK_START, S_LOCKED_VM, S_STACK_START, spaceOf, treeRoot } from "./space";
import { findEndingAbove } from "./tree";
import { V_OBJECT, V_OFFSET, V_RECORD, VM_GROWSDOWN, VM_SHARED, vmaEnd, vmaFlags, vmaName, vmaStart } from "./vma";

/**
 * The lowest VMA of `space` that ends above `address`: {start u64, end u64, offset u64, flags u32, object u32, bytes of
 * its name u32, MapKind u32, name} at `out`. False when there is none.
 */
export function nextVma(cpu: usize, space: usize, address: u64, out: usize): bool {
  const home = enterSpace(cpu, space);
  mmapReadLock(cpu);
  const vma = findEndingAbove(treeRoot(cpu), address);
  if (vma != 0) {
    store<u64>(out, vmaStart(vma));
    store<u64>(out, vmaEnd(vma), 8);
    store<u64>(out, load<u32>(vma, V_OBJECT) == 0 ? 0 : load<u64>(vma, V_OFFSET), 16);
    store<u32>(out, vmaFlags(vma), 24);
    store<u32>(out, load<u32>(vma, V_OBJECT), 28);
    store<u32>(out, nameText(vmaName(vma), out + 40), 32);
    store<u32>(out, kindOf(cpu, vma), 36);
  }
  mmapReadUnlock(cpu);
  enterSpace(cpu, home);
  return vma != 0;
}

function kindOf(cpu: usize, vma: usize): u32 {
  const record = <usize>load<u32>(vma, V_RECORD);
  if (record != 0) return load<u32>(record, O_KIND) == KIND_SHMEM ? MapKind.Zero : MapKind.File;
  const space = spaceOf(cpu);
  const brk = load<u64>(space, S_BRK);
  if (vmaStart(vma) < brk && vmaEnd(vma) > load<u64>(space, S_BRK_START)) return MapKind.Heap;
  const stack = load<u64>(space, S_STACK_START);
  return vmaStart(vma) <= stack && stack < vmaEnd(vma) ? MapKind.Stack : MapKind.Anonymous;
}

/** The loader says where the first thread's stack begins. */
export function setStackStart(cpu: usize, address: u64): void {
  store<u64>(spaceOf(cpu), address, S_STACK_START);
}

/** What `space` amounts to, in pages: u64 × Usage.Count at `out`. */
export function spaceUsage(cpu: usize, space: usize, out: usize): void {
  for (let i: usize = 0; i < <usize>Usage.Count; i++) store<u64>(out + (i << 3), 0);
  const home = enterSpace(cpu, space);
  mmapReadLock(cpu);
  store<u64>(out + ((<usize>Usage.Locked) << 3), <u64>load<u32>(space, S_LOCKED_VM));
  let vma = findEndingAbove(treeRoot(cpu), 0);
  while (vma != 0) {
    const pages = (vmaEnd(vma) - vmaStart(vma)) >> 12;
    const flags = vmaFlags(vma);
    add(out, Usage.Size, pages);
    if ((flags & VM_GROWSDOWN) != 0) add(out, Usage.Stack, pages);
    else if ((flags & Prot.Write) != 0 && (flags & VM_SHARED) == 0) add(out, Usage.Data, pages);
    else if ((flags & Prot.Exec) != 0 && (flags & Prot.Write) == 0) add(out, Usage.Code, pages);
    countResident(cpu, pgd(cpu), LEVELS - 1, vma, vmaStart(vma), vmaEnd(vma), out);
    vma = findEndingAbove(treeRoot(cpu), vmaEnd(vma));
  }
  add(out, Usage.Tables, 1 + countTables(pgd(cpu), LEVELS - 1));
  mmapReadUnlock(cpu);
  enterSpace(cpu, home);
}

function add(out: usize, what: u32, n: u64): void {
  const at = out + ((<usize>what) << 3);
  store<u64>(at, load<u64>(at) + n);
}

function countResident(cpu: usize, table: usize, level: u32, vma: usize, start: u64, end: u64, out: usize): void {
  const span = entrySpan(level);
  let va = start;
  while (va < end) {
    const next = (va & ~(span - 1)) + span;
    const upTo = next < end ? next : end;
    const entry = atomic.load<u64>(entryAt(table, va, level));
    if (level != 0) {
      if ((entry & PTE_V) != 0) countResident(cpu, ptePhys(entry), level - 1, vma, va, upTo, out);
    } else if ((entry & (PTE_V | PTE_HELD)) != 0 && !isZeroFrame(entry)) {
      if (!isCachedPage(ptePhys(entry))) add(out, Usage.Anon, 1);
      else add(out, load<u32>(<usize>load<u32>(vma, V_RECORD), O_KIND) == KIND_SHMEM ? Usage.Shared : Usage.File, 1);
    }
    va = next;
  }
}

function countTables(table: usize, level: u32): u64 {
  let n: u64 = 0;
  for (let at = table; at < table + 4096; at += 8) {
    const entry = atomic.load<u64>(at);
    if ((entry & PTE_V) == 0) continue;
    n += level > 1 ? 1 + countTables(ptePhys(entry), level - 1) : 1;
  }
  return n;
}
