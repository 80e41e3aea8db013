/**
 * A fault on a page of an object, nothing mapped there yet: a file, private or shared, or shared anonymous memory.
 *
 *   read, fetch    the cached page; with it those around it that are cached, too (fault-around)
 *   write, shared  the cached page, writable; a file's is marked dirty first
 *   write, private a copy of the cached page
 *   not cached     shared anonymous memory, or past the file's last byte on the host: a zeroed page enters the cache.
 *                  Else Outcome.Io: the host reads it (pageIn.ts), and the instruction starts again
 *   past the end   Outcome.Bus, a fact only under mmapLock
 *
 * Write-notify   a shared page of a file is mapped read-only by a read, though the VMA allows writing: its first write comes
 *            here and marks it dirty. Shared anonymous memory has no host to write to, and is mapped writable at once.
 * Commit     under the leaf's lock: the VMA attached, the slot empty, and the page still the object's (cache.ts draws the
 *            race with truncation). The reference that the lookup took becomes the entry's.
 * Around     up to 16 pages, within the VMA, the table and the file; entries without A: whoever counts what was used can tell.
 * Linux      mm/memory.c:do_read_fault, do_cow_fault, do_shared_fault; mm/filemap.c:filemap_map_pages
 */
import { Counter } from "../abi/counter";
import { Access } from "../abi/exit";
import { Add, addCached, getCached, isStillCached, makeRoom, markDirty } from "./cache";
import { lockIfStill, publishLocked } from "./commit";
import { allocPage, CACHED, putPage } from "./frame";
import { KIND_FILE, O_DATA_END, O_ID, O_KIND, O_SIZE } from "./object";
import { Outcome } from "./outcome";
import { count, countBy, P_IO_ADDRESS, P_IO_OBJECT, P_IO_OFFSET } from "./percpu";
import { entryAt, makeEntry, PTE_A, PTE_D, PTE_W } from "./pte";
import { enterLocked } from "./serve";
import { unlockTable } from "./table";
import { pageIndex, V_RECORD, VM_RAND_READ, VM_SHARED, vmaEnd, vmaFlags, vmaStart } from "./vma";

const AROUND: u64 = 16 << 12;

export function serveFile(cpu: usize, leaf: usize, vma: usize, va: u64, access: u32, rights: u64): u32 {
  const o = <usize>load<u32>(vma, V_RECORD);
  const index = pageIndex(vma, va);
  const offset = (<u64>index) << 12;
  if (offset >= atomic.load<u64>(o, O_SIZE)) return Outcome.Bus;
  const frame = getCached(cpu, o, index);
  if (frame == 0) {
    if (load<u32>(o, O_KIND) == KIND_FILE && offset < atomic.load<u64>(o, O_DATA_END))
      return askForPage(cpu, o, offset, va);
    return makePage(cpu, leaf, vma, va, access, rights, o, index);
  }
  const shared = (vmaFlags(vma) & VM_SHARED) != 0;
  if (access == Access.Write && !shared) return mapCopy(cpu, leaf, vma, va, rights, o, index, frame);
  return mapCached(cpu, leaf, vma, va, access, rights, o, index, frame);
}

/** A page that only this memory has: made here, entered in the cache, and served as any other. */
function makePage(cpu: usize, leaf: usize, vma: usize, va: u64, access: u32, rights: u64, o: usize, index: u32): u32 {
  const frame = allocPage(cpu, CACHED);
  if (frame == 0) return Outcome.Oom;
  memory.fill(frame, 0, 4096);
  const added = addCached(cpu, o, index, frame, true);
  if (added != Add.Added) putPage(cpu, frame);
  if (added == Add.NoMemory && !makeRoom(cpu, o, index)) return Outcome.Oom;
  // Another CPU was first, the host got data there, the file ends here by now, or only a node was missing: found by looking again.
  return serveFile(cpu, leaf, vma, va, access, rights);
}

function mapCached(
  cpu: usize,
  leaf: usize,
  vma: usize,
  va: u64,
  access: u32,
  rights: u64,
  o: usize,
  index: u32,
  frame: usize,
): u32 {
  const outcome = lockIfStillCached(cpu, leaf, vma, va, o, index, frame);
  if (outcome != Outcome.Done) {
    putPage(cpu, frame);
    return outcome;
  }
  const flags = vmaFlags(vma);
  const write = access == Access.Write;
  const notify = (flags & VM_SHARED) == 0 || load<u32>(o, O_KIND) == KIND_FILE;
  if (write && notify) markDirty(o, index, frame);
  const given = notify && !write ? rights & ~PTE_W : rights;
  publishLocked(leaf, entryAt(leaf, va, 0), 0, makeEntry(frame, given | (write ? PTE_A | PTE_D : PTE_A)));
  if (write) enterLocked(cpu, va, frame, given);
  if (!write && (flags & VM_RAND_READ) == 0) {
    aroundLocked(cpu, leaf, va, o, index, vmaStart(vma), vmaEnd(vma), given);
  }
  unlockTable(cpu, leaf);
  count(cpu, Counter.FaultsFile);
  return Outcome.Done;
}

/** Maps what is cached around va, which is page `index` in a VMA from `first` to `last`, and not mapped yet. */
export function aroundLocked(
  cpu: usize,
  leaf: usize,
  va: u64,
  o: usize,
  index: u32,
  first: u64,
  last: u64,
  given: u64,
): void {
  const page = va & ~(<u64>4095);
  let at = va & ~(AROUND - 1);
  let end = at + AROUND;
  if (at < first) at = first;
  if (end > last) end = last;
  let mapped: u32 = 0;
  for (; at < end; at += 4096) {
    const slot = entryAt(leaf, at, 0);
    if (atomic.load<u64>(slot) != 0) continue;
    const frame = getCached(cpu, o, index + <u32>(<i64>(at - page) >> 12));
    if (frame == 0) continue;
    publishLocked(leaf, slot, 0, makeEntry(frame, given));
    mapped++;
  }
  if (mapped != 0) countBy(cpu, Counter.FaultsAround, mapped);
}

function mapCopy(cpu: usize, leaf: usize, vma: usize, va: u64, rights: u64, o: usize, index: u32, source: usize): u32 {
  const frame = allocPage(cpu, 0);
  let outcome: u32 = Outcome.Oom;
  if (frame != 0) {
    memory.copy(frame, source, 4096);
    outcome = lockIfStillCached(cpu, leaf, vma, va, o, index, source);
    if (outcome == Outcome.Done) {
      publishLocked(leaf, entryAt(leaf, va, 0), 0, makeEntry(frame, rights | PTE_A | PTE_D));
      enterLocked(cpu, va, frame, rights);
      unlockTable(cpu, leaf);
      count(cpu, Counter.FaultsCow);
    } else putPage(cpu, frame);
  }
  putPage(cpu, source);
  return outcome;
}

/** lockIfStill(), and the page is still the object's. */
function lockIfStillCached(cpu: usize, leaf: usize, vma: usize, va: u64, o: usize, index: u32, frame: usize): u32 {
  const outcome = lockIfStill(cpu, leaf, vma, va, 0);
  if (outcome != Outcome.Done || isStillCached(o, index, frame)) return outcome;
  unlockTable(cpu, leaf);
  return Outcome.RetryEntry;
}

/** Notes which page the host must read; nothing is held while it does. */
function askForPage(cpu: usize, o: usize, offset: u64, va: u64): u32 {
  store<u32>(cpu, load<u32>(o, O_ID), P_IO_OBJECT);
  store<u64>(cpu, offset, P_IO_OFFSET);
  store<u64>(cpu, va, P_IO_ADDRESS);
  return Outcome.Io;
}
