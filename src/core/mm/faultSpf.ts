/**
 * Policy spf: the speculative fault of the 2021 patchset (Lespinasse, 37 patches), step by step. docs/spf.md maps each
 * step to the patch and names every divergence.
 *
 *   enter     count; seq, odd: abort. look the VMA up under RCU, copy it, seq again                       patches 11, 13
 *   walk      existing tables only, in a protected section; keep the leaf, its parent's entry and the entry     patch 13
 *   prepare   allocate, zero, with nothing held
 *   commit    mapAndLock(): in a section again, seq, the parent's entry, trylock once, seq again                patch 14
 *   any surprise: give back, one line of counters, and the fault is served under mmapLock. One try.
 *
 * Why it is right   order all holders of the leaf's lock. If our section is first, its second look saw the old count, and
 *   the writer, who takes this lock after its step, zaps what we installed. If the writer was first, its step is visible
 *   through the lock, and the second look fails. The table is alive at the trylock: the first look, inside the section,
 *   says that its unmapping had not begun, and freeing it waits for the section's end.
 * Even counts   DONTNEED and the downgraded half of munmap run with an even count: the first under mmapLock (read), where
 *   the entry's own lock and value decide; the second on a range that no VMA covers any more, so no lookup leads there.
 */
import { Counter } from "../abi/counter";
import { Access } from "../abi/exit";
import { rcuEnter, rcuExit } from "../sync/env";
import { H_ZERO_FRAME } from "../sync/layout";
import { publishLocked } from "./commit";
import { replaceAndUnlock } from "./cow";
import { copyFile, filePage, maySpeculate } from "./faultSpfFile";
import { allocPage, isSolePage, putPage } from "./frame";
import { findVma } from "./lookup";
import { Outcome } from "./outcome";
import { count, P_COPY_ANON, P_COPY_FLAGS, P_KERNEL, P_LEAF_ENTRY, P_LEAF_SLOT } from "./percpu";
import { pretouch } from "./pretouch";
import {
  allows,
  entryAt,
  isMarker,
  LEVELS,
  makeEntry,
  PTE_A,
  PTE_D,
  PTE_RIGHTS,
  PTE_V,
  PTE_W,
  ptePhys,
  rightsOf,
} from "./pte";
import { walkBegin, walkEnd } from "./section";
import { enterLocked, isZeroFrame } from "./serve";
import { pgd, S_SEQ, S_USERS, spaceOf } from "./space";
import { tryLockTable, unlockTable } from "./table";
import { flagsAllow, isAnonPrepared, PROT_MASK, V_OBJECT, vmaFlags } from "./vma";

/** Outcome.Done, Oom, or Fallback: not tried, or aborted. */
export function faultSpf(cpu: usize, va: u64, access: u32): u32 {
  if (load<u32>(cpu, P_KERNEL) != 0 || atomic.load<u32>(spaceOf(cpu), S_USERS) == 1) return Outcome.Fallback;
  count(cpu, Counter.SpfAttempt);
  const seq = atomic.load<u32>(spaceOf(cpu), S_SEQ);
  if ((seq & 1) != 0) return abort(cpu, Counter.SpfAbortOdd);
  rcuEnter(cpu);
  const vma = findVma(cpu, va);
  const file = vma != 0 && load<u32>(vma, V_OBJECT) != 0;
  const eligible = vma != 0 && (!file || maySpeculate(vma, access));
  if (eligible) {
    if (file) copyFile(cpu, vma, va);
    store<u32>(cpu, vmaFlags(vma), P_COPY_FLAGS);
    store<u32>(cpu, isAnonPrepared(vma) ? 1 : 0, P_COPY_ANON);
  }
  rcuExit(cpu);
  if (vma == 0) return abort(cpu, Counter.SpfAbortUnmapped);
  if (!eligible) return abort(cpu, Counter.SpfAbortNoSpeculate);
  if (!still(cpu, seq)) return abort(cpu, Counter.SpfAbortVmaCopy);
  if (!flagsAllow(load<u32>(cpu, P_COPY_FLAGS), access)) return abort(cpu, Counter.SpfAbortAccessError);
  return handle(cpu, va, access, seq, file);
}

export function abort(cpu: usize, reason: u32): u32 {
  count(cpu, Counter.SpfAbort);
  count(cpu, reason);
  return Outcome.Fallback;
}

export function still(cpu: usize, seq: u32): bool {
  return atomic.load<u32>(spaceOf(cpu), S_SEQ) == seq;
}

/** Patch 13: the walk, and what the entry says is to be done. */
function handle(cpu: usize, va: u64, access: u32, seq: u32, file: bool): u32 {
  walkBegin(cpu);
  let table = pgd(cpu);
  for (let level: u32 = LEVELS - 1; level > 0; level--) {
    const slot = entryAt(table, va, level);
    const entry = atomic.load<u64>(slot);
    if ((entry & PTE_V) == 0) {
      walkEnd(cpu);
      return abort(cpu, level == 1 ? Counter.SpfAbortPmd : Counter.SpfAbortPud);
    }
    store<u32>(cpu, <u32>slot, P_LEAF_SLOT);
    store<u64>(cpu, entry, P_LEAF_ENTRY);
    table = ptePhys(entry);
  }
  const slot = entryAt(table, va, 0);
  const seen = atomic.load<u64>(slot);
  walkEnd(cpu);
  // `table` and `slot` must not be followed from here until mapAndLock() has said yes.
  const rights = rightsOf(load<u32>(cpu, P_COPY_FLAGS) & PROT_MASK);
  const write = access == Access.Write;
  if (seen == 0 && file) return filePage(cpu, table, slot, rights, access, va, seq);
  if (seen == 0) return anonymousPage(cpu, table, slot, rights, write, va, seq);
  if (isMarker(seen)) return abort(cpu, Counter.SpfAbortNoSpeculate);
  if (write && (seen & PTE_W) == 0) return copyOnWrite(cpu, table, slot, seen, rights, va, seq);
  return setFlags(cpu, table, slot, seen, rights, access, seq);
}

/**
 * Patch 14, pte_map_lock and pte_spinlock. True: the leaf is locked, alive and its space unchanged. False: counted.
 * The section is left once the lock is held: a writer must take it before it can free the table.
 */
export function mapAndLock(cpu: usize, leaf: usize, slot: usize, seq: u32): bool {
  walkBegin(cpu);
  const reason = tryMapAndLock(cpu, leaf, slot, seq);
  walkEnd(cpu);
  if (reason == 0) return true;
  abort(cpu, reason);
  return false;
}

/** Inside a section. 0, the leaf locked; or the counter of what was in the way. */
function tryMapAndLock(cpu: usize, leaf: usize, slot: usize, seq: u32): u32 {
  if (!still(cpu, seq)) return Counter.SpfAbortPteMapLockSeq1;
  const parentSlot = <usize>load<u32>(cpu, P_LEAF_SLOT);
  if (atomic.load<u64>(parentSlot) != load<u64>(cpu, P_LEAF_ENTRY)) return Counter.SpfAbortPteMapLockPmd;
  pretouch(slot);
  if (!tryLockTable(leaf)) return Counter.SpfAbortPteMapLockPtl;
  if (still(cpu, seq)) return 0;
  unlockTable(cpu, leaf);
  return Counter.SpfAbortPteMapLockSeq2;
}

/** Patch 15, do_anonymous_page. */
function anonymousPage(cpu: usize, leaf: usize, slot: usize, rights: u64, write: bool, va: u64, seq: u32): u32 {
  count(cpu, Counter.SpfAttemptAnon);
  let frame: usize = 0;
  let entry: u64 = 0;
  if (write) {
    if (load<u32>(cpu, P_COPY_ANON) == 0) return abort(cpu, Counter.SpfAbortAnonVma);
    frame = allocPage(cpu, 0);
    if (frame == 0) return Outcome.Oom;
    memory.fill(frame, 0, 4096);
    entry = makeEntry(frame, rights | PTE_A | PTE_D);
  } else entry = makeEntry(<usize>load<u32>(H_ZERO_FRAME), (rights & ~PTE_W) | PTE_A);
  let done: bool = false;
  const locked = mapAndLock(cpu, leaf, slot, seq);
  if (locked) {
    done = atomic.load<u64>(slot) == 0 && publishLocked(leaf, slot, 0, entry);
    if (done && write) enterLocked(cpu, va, frame, rights);
    unlockTable(cpu, leaf);
  }
  if (done) count(cpu, Counter.FaultsAnon);
  else if (frame != 0) putPage(cpu, frame);
  // Locked and not done: another CPU served the page, and the access starts again.
  return locked ? Outcome.Done : Outcome.Fallback;
}

/**
 * Patch 19, do_wp_page: a page that is ours alone is taken over, any other copied: clear, flush, copy, set under the leaf's lock
 * (cow.ts; the patchset copied before it locked, and relied on the count).
 */
function copyOnWrite(cpu: usize, leaf: usize, slot: usize, seen: u64, rights: u64, va: u64, seq: u32): u32 {
  count(cpu, Counter.SpfAttemptWp);
  if (load<u32>(cpu, P_COPY_ANON) == 0) return abort(cpu, Counter.SpfAbortAnonVma);
  const frame = allocPage(cpu, 0);
  if (frame == 0) return Outcome.Oom;
  if (isZeroFrame(seen)) memory.fill(frame, 0, 4096);
  if (!mapAndLock(cpu, leaf, slot, seq)) {
    putPage(cpu, frame);
    return Outcome.Fallback;
  }
  if (atomic.load<u64>(slot) == seen && (isZeroFrame(seen) || !isSolePage(ptePhys(seen)))) {
    replaceAndUnlock(cpu, leaf, va, frame, rights);
    return Outcome.Done;
  }
  if (atomic.load<u64>(slot) == seen) publishLocked(leaf, slot, seen, (seen & ~PTE_RIGHTS) | rights | PTE_A | PTE_D);
  unlockTable(cpu, leaf);
  putPage(cpu, frame);
  return Outcome.Done;
}

/** Patch 20: the entry is there; rights that the VMA has and it has not, and the accessed and dirty bits. */
function setFlags(cpu: usize, leaf: usize, slot: usize, seen: u64, rights: u64, access: u32, seq: u32): u32 {
  count(cpu, Counter.SpfAttemptPte);
  if (!mapAndLock(cpu, leaf, slot, seq)) return Outcome.Fallback;
  if (atomic.load<u64>(slot) == seen && !allows(seen, access)) {
    const allowed = (rights & ~PTE_W) | (seen & PTE_W & rights);
    const marks = access == Access.Write ? PTE_A | PTE_D : PTE_A;
    publishLocked(leaf, slot, seen, (seen & ~PTE_RIGHTS) | allowed | marks);
  }
  unlockTable(cpu, leaf);
  count(cpu, Counter.FaultsSpurious);
  return Outcome.Done;
}
