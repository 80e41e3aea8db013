/**
 * Serves one page fault for a VMA that was found and allows the access. One body for every policy: the caller holds
 * mmapLock, or is inside a reader section and takes RetryX for an answer.
 *
 *   nothing there, anonymous   read: the zero page, read-only.  write: a zeroed frame
 *   nothing there, an object   serveFile.ts
 *   a page and no right to write, though the VMA has it       cow.ts: copied, or taken over
 *   rights fewer than the VMA  granted now (mprotect only ever takes rights away from entries)
 *   rights there               spurious: another CPU was first
 *
 * Frames are allocated and filled before the table's lock is taken. Linux: mm/memory.c:handle_pte_fault.
 */
import { Counter } from "../abi/counter";
import { Access } from "../abi/exit";
import { H_ZERO_FRAME } from "../sync/layout";
import { tlbSet } from "../sync/tlb";
import { lockIfStill, publishLocked } from "./commit";
import { writeProtected } from "./cow";
import { allocPage, putPage } from "./frame";
import { Outcome } from "./outcome";
import { count } from "./percpu";
import { allows, entryAt, isMarker, makeEntry, PTE_A, PTE_D, PTE_R, PTE_RIGHTS, PTE_W, ptePhys, rightsOf } from "./pte";
import { walkBegin, walkEnd } from "./section";
import { serveFile } from "./serveFile";
import { unlockTable } from "./table";
import { PROT_MASK, V_OBJECT, vmaFlags } from "./vma";
import { ensureTables, walkLeaf } from "./walk";

export function isZeroFrame(entry: u64): bool {
  return ptePhys(entry) == <usize>load<u32>(H_ZERO_FRAME);
}

/** Returns an Outcome. The leaf may be retired once its section ends: lockIfStill() finds out. */
export function serve(cpu: usize, vma: usize, va: u64, access: u32): u32 {
  let seen: u64 = 0;
  walkBegin(cpu);
  const leaf = walkLeaf(cpu, va);
  if (leaf != 0) seen = atomic.load<u64>(entryAt(leaf, va, 0));
  walkEnd(cpu);
  if (leaf == 0) return serveNewTable(cpu, vma, va, access);
  const rights = rightsOf(vmaFlags(vma) & PROT_MASK);
  if (seen == 0) {
    if (load<u32>(vma, V_OBJECT) != 0) return serveFile(cpu, leaf, vma, va, access, rights);
    if (access != Access.Write) return mapZeroPage(cpu, leaf, vma, va, rights);
    return mapFresh(cpu, leaf, vma, va, rights);
  }
  if (isMarker(seen)) return Outcome.Guard;
  if (allows(seen, access)) {
    count(cpu, Counter.FaultsSpurious);
    return Outcome.Done;
  }
  if (access == Access.Write) return writeProtected(cpu, leaf, vma, va, seen, rights);
  return grantRights(cpu, leaf, vma, va, seen, rights);
}

/** The same once the tables are there. They go only with the VMA, and ensureTables() says then that it is detached. */
function serveNewTable(cpu: usize, vma: usize, va: u64, access: u32): u32 {
  const outcome = ensureTables(cpu, vma, va);
  return outcome == <u32>Outcome.Done ? serve(cpu, vma, va, access) : outcome;
}

function mapFresh(cpu: usize, leaf: usize, vma: usize, va: u64, rights: u64): u32 {
  const frame = allocPage(cpu, 0);
  if (frame == 0) return Outcome.Oom;
  memory.fill(frame, 0, 4096);
  const outcome = lockIfStill(cpu, leaf, vma, va, 0);
  if (outcome == Outcome.Done) {
    publishLocked(leaf, entryAt(leaf, va, 0), 0, makeEntry(frame, rights | PTE_A | PTE_D));
    enterLocked(cpu, va, frame, rights);
    unlockTable(cpu, leaf);
    count(cpu, Counter.FaultsAnon);
  }
  if (outcome != Outcome.Done) putPage(cpu, frame);
  return outcome;
}

/**
 * Enters a page that was just published, writable and dirty, in the own TLB: the walk that would find it is spared. Under
 * the leaf's lock: who takes the entry away takes that lock later, and his shootdown then finds the translation.
 */
export function enterLocked(cpu: usize, va: u64, frame: usize, rights: u64): void {
  tlbSet(cpu, va, frame, (rights & PTE_R) != 0, true);
  count(cpu, Counter.TlbFills);
}

function mapZeroPage(cpu: usize, leaf: usize, vma: usize, va: u64, rights: u64): u32 {
  const zero = <usize>load<u32>(H_ZERO_FRAME);
  const outcome = lockIfStill(cpu, leaf, vma, va, 0);
  if (outcome != Outcome.Done) return outcome;
  publishLocked(leaf, entryAt(leaf, va, 0), 0, makeEntry(zero, (rights & ~PTE_W) | PTE_A));
  unlockTable(cpu, leaf);
  count(cpu, Counter.FaultsAnon);
  return Outcome.Done;
}

/**
 * A read or fetch: the frame is there and the VMA allows more than the entry. No flush, a TLB without the right only faults
 * again. The right to write is not given here: whether it may be is known at the first write (cow.ts).
 */
function grantRights(cpu: usize, leaf: usize, vma: usize, va: u64, seen: u64, rights: u64): u32 {
  const outcome = lockIfStill(cpu, leaf, vma, va, seen);
  if (outcome != Outcome.Done) return outcome;
  const entry = (seen & ~PTE_RIGHTS) | (rights & ~PTE_W) | (seen & PTE_W & rights) | PTE_A;
  const done = publishLocked(leaf, entryAt(leaf, va, 0), seen, entry);
  unlockTable(cpu, leaf);
  if (!done) return Outcome.RetryEntry;
  count(cpu, Counter.FaultsSpurious);
  return Outcome.Done;
}
