/**
 * A write to a page that is there and read-only, where the VMA allows writing: after fork, over the zero page, in a mapping
 * of a file.
 *
 *   the zero page           a zeroed frame takes its place
 *   private, shared with    copied: a page of a file, or one that another space or the page cache has, too
 *   private, ours alone     taken over: the right is given (Linux: wp_page_reuse)
 *   shared                  the right is given; a file's page is marked dirty first (write-notify, page_mkwrite)
 *
 * Copying    all under the leaf's lock: clear the entry, flush, copy, set. What a hart stored through a translation that was
 *            writable once is in the copy, for the flush came first; what it stores later it stores after a fault that finds
 *            the copy. So no count of snapshots is needed (design protocol 2): fork may be between its write-protect and its
 *            flush, and the copy made here still misses no store.
 * Race       | fork                         | hart X, writable TLB entry   | fault on CPU Y
 *            | lock leaf; take W; unlock    |                              |
 *            |                              | store (through the TLB)      | lock leaf; clear; flush: X answers
 *            |                              | store → faults               | copy: X's store is in it; set; unlock
 *            | flush; return                |                              |
 * Today      fork sets S_COPYING until after its flush, for the order of stores (fork.ts), and that alone keeps faults out of this
 *            picture. What the flush here still does: a hart that reads the old page through its TLB must not go on after the store.
 * Accessed   an entry without A was never in a TLB (fill.ts sets A first): it needs no flush. So are most after a fork.
 * Sole       the count is 1, under the leaf's lock, and the page no object's: nobody can come to have it but through this
 *            entry, and fork takes this lock to read it. A count that another lowers just now is at worst copied in vain.
 * Linux      mm/memory.c:do_wp_page, wp_page_copy
 */
import { Counter } from "../abi/counter";
import { markDirty } from "./cache";
import { lockIfStill, publishLocked } from "./commit";
import { allocPage, isSolePage, putPage } from "./frame";
import { KIND_FILE, O_KIND } from "./object";
import { Outcome } from "./outcome";
import { count } from "./percpu";
import { entryAt, makeEntry, PTE_A, PTE_D, PTE_RIGHTS, PTE_V, ptePhys } from "./pte";
import { enterLocked, isZeroFrame } from "./serve";
import { shootPage } from "./shootdown";
import { unlockTable } from "./table";
import { pageIndex, V_RECORD, VM_SHARED, vmaFlags } from "./vma";

const PAGE_BASE: u64 = ~(<u64>4095);

/** `seen` is not 0 and does not allow the write; `rights` are the VMA's. */
export function writeProtected(cpu: usize, leaf: usize, vma: usize, va: u64, seen: u64, rights: u64): u32 {
  if ((vmaFlags(vma) & VM_SHARED) != 0) return grantShared(cpu, leaf, vma, va, seen, rights);
  if (isZeroFrame(seen) || !isSolePage(ptePhys(seen))) return replace(cpu, leaf, vma, va, seen, rights);
  const outcome = lockIfStill(cpu, leaf, vma, va, seen);
  if (outcome != Outcome.Done) return outcome;
  return takeOverAndUnlock(cpu, leaf, va, seen, rights);
}

/** Looked at again under the lock: another space may have got the page since. */
function takeOverAndUnlock(cpu: usize, leaf: usize, va: u64, seen: u64, rights: u64): u32 {
  let done: bool = false;
  if (isSolePage(ptePhys(seen))) done = grantLocked(cpu, leaf, va, seen, rights);
  unlockTable(cpu, leaf);
  if (!done) return Outcome.RetryEntry;
  count(cpu, Counter.FaultsSpurious);
  return Outcome.Done;
}

/** Gives the entry the VMA's rights, for a write that follows; false when a hart set A meanwhile. No flush: it only gains. */
function grantLocked(cpu: usize, leaf: usize, va: u64, seen: u64, rights: u64): bool {
  const entry = (seen & ~PTE_RIGHTS) | rights | PTE_A | PTE_D;
  if (!publishLocked(leaf, entryAt(leaf, va, 0), seen, entry)) return false;
  enterLocked(cpu, va, ptePhys(seen), rights);
  return true;
}

function grantShared(cpu: usize, leaf: usize, vma: usize, va: u64, seen: u64, rights: u64): u32 {
  const outcome = lockIfStill(cpu, leaf, vma, va, seen);
  if (outcome != Outcome.Done) return outcome;
  const o = <usize>load<u32>(vma, V_RECORD);
  // Marked before the right is given, under this lock: who writes pages back takes the right away under it, too.
  if (load<u32>(o, O_KIND) == KIND_FILE) markDirty(o, pageIndex(vma, va), ptePhys(seen));
  const done = grantLocked(cpu, leaf, va, seen, rights);
  unlockTable(cpu, leaf);
  if (!done) return Outcome.RetryEntry;
  count(cpu, Counter.FaultsCow);
  return Outcome.Done;
}

/** A frame of our own takes the place of what is there: clear, flush, copy, set. Spinners on the lock answer IPIs meanwhile. */
function replace(cpu: usize, leaf: usize, vma: usize, va: u64, seen: u64, rights: u64): u32 {
  const frame = allocPage(cpu, 0);
  if (frame == 0) return Outcome.Oom;
  const zero = isZeroFrame(seen);
  if (zero) memory.fill(frame, 0, 4096);
  const outcome = lockIfStill(cpu, leaf, vma, va, seen);
  if (outcome != Outcome.Done) {
    putPage(cpu, frame);
    return outcome;
  }
  replaceAndUnlock(cpu, leaf, va, frame, rights);
  return Outcome.Done;
}

/** The second half, for spf too: the leaf is locked, and its entry maps what is to be replaced. */
export function replaceAndUnlock(cpu: usize, leaf: usize, va: u64, frame: usize, rights: u64): void {
  const slot = entryAt(leaf, va, 0);
  const old = atomic.xchg<u64>(slot, 0);
  if ((old & PTE_A) != 0 && (old & PTE_V) != 0) shootPage(cpu, va & PAGE_BASE);
  const source: usize = isZeroFrame(old) ? 0 : ptePhys(old);
  if (source != 0) memory.copy(frame, source, 4096);
  atomic.store<u64>(slot, makeEntry(frame, rights | PTE_A | PTE_D));
  enterLocked(cpu, va, frame, rights);
  unlockTable(cpu, leaf);
  if (source != 0) putPage(cpu, source);
  count(cpu, Counter.FaultsCow);
}
