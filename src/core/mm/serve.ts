/**
 * Serves one page fault for a VMA that was found and allows the access. One body for every policy: the caller holds
 * mmapLock, or is inside a reader section and takes RetryX for an answer.
 *
 *   nothing there, anonymous   read: the zero page, read-only.  write: a zeroed frame
 *   nothing there, file        Io: the host reads the page, commitFilePage() installs it
 *   the zero page, write       a zeroed frame takes its place: clear, flush, set
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
import { allocFrame, freeFrame, TYPE_DATA } from "./frame";
import { Outcome } from "./outcome";
import { count, P_IO_ADDRESS, P_IO_OBJECT, P_IO_OFFSET } from "./percpu";
import { allows, entryAt, isMarker, makeEntry, PTE_A, PTE_D, PTE_R, PTE_RIGHTS, PTE_W, ptePhys, rightsOf } from "./pte";
import { walkBegin, walkEnd } from "./section";
import { shootPage } from "./shootdown";
import { unlockTable } from "./table";
import { PROT_MASK, V_OBJECT, V_OFFSET, vmaFlags, vmaStart } from "./vma";
import { ensureTables, walkLeaf } from "./walk";

const PAGE_BASE: u64 = ~(<u64>4095);

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
  if (leaf == 0 && load<u32>(vma, V_OBJECT) == 0) return serveNewTable(cpu, vma, va, access);
  const rights = rightsOf(vmaFlags(vma) & PROT_MASK);
  if (seen == 0) {
    if (load<u32>(vma, V_OBJECT) != 0) return askForPage(cpu, vma, va);
    if (access != Access.Write) return mapZeroPage(cpu, leaf, vma, va, rights);
    return mapFresh(cpu, leaf, vma, va, rights);
  }
  if (isMarker(seen)) return Outcome.Guard;
  if (allows(seen, access)) {
    count(cpu, Counter.FaultsSpurious);
    return Outcome.Done;
  }
  if (isZeroFrame(seen) && access == Access.Write) return replaceZeroPage(cpu, leaf, vma, va, seen, rights);
  return grantRights(cpu, leaf, vma, va, seen, rights, access);
}

/** The same once the tables are there. They go only with the VMA, and ensureTables() says then that it is detached. */
function serveNewTable(cpu: usize, vma: usize, va: u64, access: u32): u32 {
  const outcome = ensureTables(cpu, vma, va);
  return outcome == <u32>Outcome.Done ? serve(cpu, vma, va, access) : outcome;
}

function mapFresh(cpu: usize, leaf: usize, vma: usize, va: u64, rights: u64): u32 {
  const frame = allocFrame(cpu, TYPE_DATA);
  if (frame == 0) return Outcome.Oom;
  memory.fill(frame, 0, 4096);
  const outcome = lockIfStill(cpu, leaf, vma, va, 0);
  if (outcome == Outcome.Done) {
    publishLocked(leaf, entryAt(leaf, va, 0), 0, makeEntry(frame, rights | PTE_A | PTE_D));
    enterLocked(cpu, va, frame, rights);
    unlockTable(cpu, leaf);
    count(cpu, Counter.FaultsAnon);
  }
  if (outcome != Outcome.Done) freeFrame(cpu, frame);
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
  const outcome = install(cpu, leaf, vma, va, makeEntry(zero, (rights & ~PTE_W) | PTE_A));
  if (outcome == Outcome.Done) count(cpu, Counter.FaultsAnon);
  return outcome;
}

/** Fills an empty slot. An empty slot is changed by nobody without the lock, so the swap can not fail. */
export function install(cpu: usize, leaf: usize, vma: usize, va: u64, entry: u64): u32 {
  const outcome = lockIfStill(cpu, leaf, vma, va, 0);
  if (outcome != Outcome.Done) return outcome;
  publishLocked(leaf, entryAt(leaf, va, 0), 0, entry);
  unlockTable(cpu, leaf);
  return Outcome.Done;
}

/**
 * Other CPUs may hold the zero page in their TLBs: they must lose it before the new frame can be written, or one hart
 * would read zero after another's store. Clear, flush (under the table's lock: spinners answer IPIs), then set.
 */
function replaceZeroPage(cpu: usize, leaf: usize, vma: usize, va: u64, seen: u64, rights: u64): u32 {
  const frame = allocFrame(cpu, TYPE_DATA);
  if (frame == 0) return Outcome.Oom;
  memory.fill(frame, 0, 4096);
  const outcome = lockIfStill(cpu, leaf, vma, va, seen);
  if (outcome != Outcome.Done) {
    freeFrame(cpu, frame);
    return outcome;
  }
  const slot = entryAt(leaf, va, 0);
  atomic.xchg<u64>(slot, 0);
  shootPage(cpu, va & PAGE_BASE);
  atomic.store<u64>(slot, makeEntry(frame, rights | PTE_A | PTE_D));
  unlockTable(cpu, leaf);
  count(cpu, Counter.FaultsCow);
  return Outcome.Done;
}

/** The frame is there and the VMA allows more than the entry: no flush, a TLB without the right only faults again. */
function grantRights(cpu: usize, leaf: usize, vma: usize, va: u64, seen: u64, rights: u64, access: u32): u32 {
  const outcome = lockIfStill(cpu, leaf, vma, va, seen);
  if (outcome != Outcome.Done) return outcome;
  const allowed = isZeroFrame(seen) ? rights & ~PTE_W : rights;
  const dirty = access == Access.Write ? PTE_A | PTE_D : PTE_A;
  const entry = (seen & ~PTE_RIGHTS) | allowed | dirty;
  const done = publishLocked(leaf, entryAt(leaf, va, 0), seen, entry);
  unlockTable(cpu, leaf);
  if (!done) return Outcome.RetryEntry;
  count(cpu, Counter.FaultsSpurious);
  return Outcome.Done;
}

/** Notes which page the host must read; nothing is held while it does. */
function askForPage(cpu: usize, vma: usize, va: u64): u32 {
  const page = va & PAGE_BASE;
  store<u32>(cpu, load<u32>(vma, V_OBJECT), P_IO_OBJECT);
  store<u64>(cpu, load<u64>(vma, V_OFFSET) + (page - vmaStart(vma)), P_IO_OFFSET);
  store<u64>(cpu, va, P_IO_ADDRESS);
  return Outcome.Io;
}
