/**
 * Policy spf: a page of a file, as the 2021 patchset (RFC, patches 23 to 30) tried it: cached pages only, no I/O, no wait.
 *
 *   eligible  a read or fetch, or a private mapping, of a file (patch 29's list; shared anonymous memory is not on it)
 *   prepare   in a reader section, the count compared first (24): the cached page, with a reference (25). Not cached, or past the
 *             end: given up; the total counts it and no reason does, as in the patchset
 *   commit    mapAndLock(), the entry still empty, the page still the object's; for a read the pages around, too (27, 28)
 *
 * The object   is followed inside the section, after the count was compared; and again under the leaf's lock, after mapAndLock()
 *             compared it: as long as the count stands the VMA is mapped, and has its reference.
 */
import { Counter } from "../abi/counter";
import { Access } from "../abi/exit";
import { rcuEnter, rcuExit } from "../sync/env";
import { getCached, isStillCached } from "./cache";
import { publishLocked } from "./commit";
import { abort, mapAndLock, still } from "./faultSpf";
import { allocPage, putPage } from "./frame";
import { KIND_FILE, O_KIND, O_SIZE } from "./object";
import { Outcome } from "./outcome";
import { count, P_COPY_ANON, P_COPY_END, P_COPY_FLAGS, P_COPY_INDEX, P_COPY_RECORD, P_COPY_START } from "./percpu";
import { makeEntry, PTE_A, PTE_D, PTE_W } from "./pte";
import { enterLocked } from "./serve";
import { aroundLocked } from "./serveFile";
import { unlockTable } from "./table";
import { pageIndex, V_RECORD, VM_RAND_READ, VM_SHARED, vmaEnd, vmaFlags, vmaStart } from "./vma";

/** Patches 29 and 30. In a reader section. */
export function maySpeculate(vma: usize, access: u32): bool {
  if (load<u32>(<usize>load<u32>(vma, V_RECORD), O_KIND) != KIND_FILE) return false;
  return access != Access.Write || (vmaFlags(vma) & VM_SHARED) == 0;
}

/** What a fault on a file needs of the VMA, beside flags and anon_vma. */
export function copyFile(cpu: usize, vma: usize, va: u64): void {
  store<u32>(cpu, load<u32>(vma, V_RECORD), P_COPY_RECORD);
  store<u32>(cpu, pageIndex(vma, va), P_COPY_INDEX);
  store<u64>(cpu, vmaStart(vma), P_COPY_START);
  store<u64>(cpu, vmaEnd(vma), P_COPY_END);
}

export function filePage(cpu: usize, leaf: usize, slot: usize, rights: u64, access: u32, va: u64, seq: u32): u32 {
  count(cpu, Counter.SpfAttemptFile);
  const write = access == Access.Write;
  if (write && load<u32>(cpu, P_COPY_ANON) == 0) return abort(cpu, Counter.SpfAbortAnonVma);
  const object = <usize>load<u32>(cpu, P_COPY_RECORD);
  const index = load<u32>(cpu, P_COPY_INDEX);
  rcuEnter(cpu);
  const same = still(cpu, seq);
  const inside = same && (<u64>index) << 12 < atomic.load<u64>(object, O_SIZE);
  const cached: usize = inside ? getCached(cpu, object, index) : 0;
  rcuExit(cpu);
  if (!same) return abort(cpu, Counter.SpfAbortFault);
  if (cached == 0) {
    count(cpu, Counter.SpfAbort);
    return Outcome.Fallback;
  }
  if (write) return mapCopy(cpu, leaf, slot, rights, va, seq, object, index, cached);
  return mapCached(cpu, leaf, slot, rights & ~PTE_W, va, seq, object, index, cached);
}

/** Patches 26 to 28. */
function mapCached(
  cpu: usize,
  leaf: usize,
  slot: usize,
  given: u64,
  va: u64,
  seq: u32,
  object: usize,
  index: u32,
  cached: usize,
): u32 {
  if (!mapAndLock(cpu, leaf, slot, seq)) {
    putPage(cpu, cached);
    return Outcome.Fallback;
  }
  const done = atomic.load<u64>(slot) == 0 && isStillCached(object, index, cached);
  if (done) {
    publishLocked(leaf, slot, 0, makeEntry(cached, given | PTE_A));
    if ((load<u32>(cpu, P_COPY_FLAGS) & VM_RAND_READ) == 0) {
      aroundLocked(cpu, leaf, va, object, index, load<u64>(cpu, P_COPY_START), load<u64>(cpu, P_COPY_END), given);
    }
  }
  unlockTable(cpu, leaf);
  if (done) count(cpu, Counter.FaultsFile);
  else putPage(cpu, cached);
  return Outcome.Done;
}

/** do_cow_fault. */
function mapCopy(
  cpu: usize,
  leaf: usize,
  slot: usize,
  rights: u64,
  va: u64,
  seq: u32,
  object: usize,
  index: u32,
  cached: usize,
): u32 {
  const frame = allocPage(cpu, 0);
  if (frame == 0) {
    putPage(cpu, cached);
    return Outcome.Oom;
  }
  memory.copy(frame, cached, 4096);
  const locked = mapAndLock(cpu, leaf, slot, seq);
  const done = locked && atomic.load<u64>(slot) == 0 && isStillCached(object, index, cached);
  if (done) {
    publishLocked(leaf, slot, 0, makeEntry(frame, rights | PTE_A | PTE_D));
    enterLocked(cpu, va, frame, rights);
  }
  if (locked) unlockTable(cpu, leaf);
  if (done) count(cpu, Counter.FaultsCow);
  else putPage(cpu, frame);
  putPage(cpu, cached);
  return locked ? Outcome.Done : Outcome.Fallback;
}
