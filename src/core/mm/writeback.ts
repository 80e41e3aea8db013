/**
 * Dirty pages of a file go back to the host: msync, fsync, the last unmapping, the end.
 *
 *   writebackBegin() ─► the host writes the frames ─► writebackEnd()          up to 16 pages a round, in order
 *
 * Promise    what was stored through a mapping before the call is written by its end; what is stored during it is written, or
 *            its page is dirty again. Nothing dirty is ever dropped.
 * Algorithm  under mLock: for each dirty page, take a reference, clear the mark; then take the right to write from every
 *            entry that maps one of them, in every space, and flush. Only then is the frame read.
 * Race       | fault: lock leaf; mark; give the right; unlock     | writeback: clear the mark; lock leaf; take the right
 *            | the mark before the clear: the right goes with our lock of the leaf, and what was stored is in the frame
 *            | the mark after: the page is dirty again, and written the next time
 * Failed     the host could not write: the marks are set again.
 * Locks      as truncate.ts. Between begin and end nothing is locked: references to the object and the frames are held.
 * Linux      mm/page-writeback.c:write_cache_pages, folio_clear_dirty_for_io; mm/rmap.c:folio_mkclean
 */
import { lock, unlock } from "../sync/spinlock";
import { DIRTY, frameIn, markDirty, nextCached, slotOf } from "./cache";
import { getPage, putPage } from "./frame";
import { gatherBegin, gatherFlush, gatherPage } from "./gather";
import { getObject, O_CACHE_LOCK, O_MAPS, O_MAPS_LOCK, putObject } from "./object";
import { P_IO_OBJECT, P_IO_OFFSET, P_IO_RECORD } from "./percpu";
import { entryAt, PTE_D, PTE_W } from "./pte";
import { enterSpace } from "./space";
import { lockTable, unlockTable } from "./table";
import { V_MAP_NEXT, V_OFFSET, V_SPACE, VM_SHARED, vmaEnd, vmaFlags, vmaStart } from "./vma";
import { walkLeaf } from "./walk";

const MOST: u32 = 16;

/**
 * The next run of dirty pages of object `id` within [from, end) bytes: their frames, u32 addresses at `list`; how many.
 * 0: none is dirty. ioObject() and ioOffset() say what they are.
 */
export function writebackBegin(cpu: usize, id: u32, from: u64, end: u64, list: usize): u32 {
  const o = getObject(cpu, id);
  if (o == 0) return 0;
  const last = <u32>((end + 4095) >> 12);
  lock(cpu, o + O_MAPS_LOCK);
  lock(cpu, o + O_CACHE_LOCK);
  const first = nextCached(o, <u32>(from >> 12), last, DIRTY);
  let n: u32 = 0;
  while (first + n < last && n < MOST) {
    const slot = slotOf(o, first + n);
    const word = slot == 0 ? 0 : atomic.load<u32>(slot);
    if ((word & DIRTY) == 0) break;
    atomic.and<u32>(slot, ~DIRTY);
    getPage(frameIn(word));
    store<u32>(list + ((<usize>n) << 2), <u32>frameIn(word));
    n++;
  }
  unlock(o + O_CACHE_LOCK);
  const offset = (<u64>first) << 12;
  if (n != 0) protectLocked(cpu, o, offset, offset + ((<u64>n) << 12));
  unlock(o + O_MAPS_LOCK);
  store<u32>(cpu, <u32>o, P_IO_RECORD);
  store<u32>(cpu, id, P_IO_OBJECT);
  store<u64>(cpu, offset, P_IO_OFFSET);
  if (n == 0) putObject(cpu, o);
  return n;
}

/** After the host wrote the first `written` of them. */
export function writebackEnd(cpu: usize, list: usize, count: u32, written: u32): void {
  const o = <usize>load<u32>(cpu, P_IO_RECORD);
  const first = <u32>(load<u64>(cpu, P_IO_OFFSET) >> 12);
  for (let i: u32 = 0; i < count; i++) {
    const frame = <usize>load<u32>(list + ((<usize>i) << 2));
    if (i >= written) markDirty(o, first + i, frame);
    putPage(cpu, frame);
  }
  putObject(cpu, o);
}

/** Takes the right to write from every shared entry of [from, end) of the object. mLock held. */
function protectLocked(cpu: usize, o: usize, from: u64, end: u64): void {
  for (let vma = <usize>load<u32>(o, O_MAPS); vma != 0; vma = <usize>load<u32>(vma, V_MAP_NEXT)) {
    const offset = load<u64>(vma, V_OFFSET);
    const bytes = vmaEnd(vma) - vmaStart(vma);
    if ((vmaFlags(vma) & VM_SHARED) == 0 || offset + bytes <= from || offset >= end) continue;
    const start = from > offset ? vmaStart(vma) + (from - offset) : vmaStart(vma);
    const upTo = end < offset + bytes ? vmaStart(vma) + (end - offset) : vmaEnd(vma);
    const home = enterSpace(cpu, <usize>load<u32>(vma, V_SPACE));
    gatherBegin(cpu);
    protectRange(cpu, start, upTo);
    gatherFlush(cpu);
    enterSpace(cpu, home);
  }
}

/** A leaf that appears beside us is filled by faults that mark their page first: the mark was cleared before, so it stands. */
function protectRange(cpu: usize, start: u64, end: u64): void {
  let va = start;
  while (va < end) {
    const next = (va & ~(<u64>0x1f_ffff)) + 0x20_0000;
    const upTo = next < end ? next : end;
    const leaf = walkLeaf(cpu, va);
    if (leaf != 0) {
      lockTable(cpu, leaf);
      for (let page = va; page < upTo; page += 4096) protectEntry(cpu, entryAt(leaf, page, 0), page);
      unlockTable(cpu, leaf);
    }
    va = upTo;
  }
}

function protectEntry(cpu: usize, slot: usize, page: u64): void {
  while (true) {
    const seen = atomic.load<u64>(slot);
    if ((seen & PTE_W) == 0) return;
    if (atomic.cmpxchg<u64>(slot, seen, seen & ~(PTE_W | PTE_D)) != seen) continue;
    gatherPage(cpu, page, 0);
    return;
  }
}
